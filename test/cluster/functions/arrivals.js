// Keeps the bodies it is sent in the order in which they come, and shows them to a GET.
const bodies = [];

export const handler = async (request) => {
  if (request.method === 'GET') return Response.json(bodies);
  bodies.push(await request.text());
  return new Response('noted');
};
