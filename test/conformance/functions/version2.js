// One of two builds of the same function.
export const handler = (_request) => new Response('version2');
