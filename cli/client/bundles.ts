// /system/bundles/<sha256>: built functions on their way to the gateway.
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { FaasError } from '../../provider/types/errors.ts';
import { type Client, errorCodeOf, expectStatus, failureOf } from './client.ts';

export type BundleFile = { readonly file: string; readonly digest: string; readonly bytes: number };

/** Resolves to false when the gateway had it already. @throws what the gateway says against it */
export const uploadBundle = async (client: Client, bundle: BundleFile): Promise<boolean> => {
  const path = `/system/bundles/${bundle.digest}`;
  const what = `uploading ${bundle.file}`;
  const known = await client.call('HEAD', path);
  if (known.status === 200 || known.status === 204) return false;
  if (known.status === 401) throw failureOf(client, known, what);
  if (known.status === 501) {
    throw new FaasError('not-implemented', `${what}: ${client.gateway} runs images, not bundles`);
  }
  const response = await client.open('PUT', path, {
    body: createReadStream(bundle.file),
    headers: { 'Content-Type': 'application/x-tar', 'Content-Length': String(bundle.bytes) },
    timeoutMs: 0,
  });
  const reply = { status: response.statusCode ?? 0, errorCode: errorCodeOf(response), body: await text(response) };
  expectStatus(client, reply, [200, 201, 202, 204], what);
  return true;
};
