/** Answers every call: a web-standard Request in, a Response out. Bodies may be streams, both ways. */
export default async (request: Request): Promise<Response> => {
  const text = (await request.text()).trim();
  const name = text || new URL(request.url).searchParams.get('name') || 'world';
  return Response.json({ message: `Hello, ${name}!` });
};
