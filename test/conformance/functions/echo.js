// Answers what it was asked.
export const handler = async (request) => {
  const { pathname, search } = new URL(request.url);
  return Response.json({ method: request.method, url: pathname + search, body: await request.text() });
};
