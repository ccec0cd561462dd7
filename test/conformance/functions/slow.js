// Answers after as many milliseconds as `?ms=` says.
import { setTimeout as sleep } from 'node:timers/promises';

export const handler = async (request) => {
  await sleep(Number(new URL(request.url).searchParams.get('ms') ?? 0));
  return new Response('done');
};
