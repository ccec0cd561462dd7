// Answers the bytes of the secret that the path names.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';

export const handler = async (request) => {
  const file = join(process.env.secret_mount_path ?? '/var/openfaas/secrets', new URL(request.url).pathname.slice(1));
  try {
    return new Response(await readFile(file));
  } catch (error) {
    return new Response(error.code, { status: 404 });
  }
};
