// Answers its version (the environment's, or that of the build) and then what it was sent, after `?ms=` milliseconds.

import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const version = process.env.version ?? 'v1';

export const handler = async (request) => {
  const ms = Number(new URL(request.url).searchParams.get('ms') ?? 0);
  const body = await request.text();
  if (ms > 0) await sleep(ms);
  return new Response(`${version}\n${body}`);
};
