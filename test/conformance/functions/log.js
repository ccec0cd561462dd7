// Prints the lines of the body.
export const handler = async (request) => {
  console.log(await request.text());
  return new Response('printed');
};
