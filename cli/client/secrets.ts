// /system/secrets.
import { FaasError } from '../../provider/types/errors.ts';
import type { SecretRef, SecretType } from '../../provider/types/secret.ts';
import { type Client, expectStatus, parseBody } from './client.ts';

const accepted = [200, 201, 202];

export type SecretBody = {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly value: string;
  /** base64; gateways prefer it to `value`. */
  readonly rawValue?: string | undefined;
  /** `Opaque` unless told. */
  readonly type?: SecretType | undefined;
};

export const listSecrets = async (client: Client, namespace: string | undefined): Promise<SecretRef[]> => {
  const what = 'listing secrets';
  const reply = await client.call('GET', '/system/secrets', { query: { namespace } });
  expectStatus(client, reply, [200, 202], what);
  return (parseBody(client, reply, what) ?? []) as SecretRef[];
};

/** Resolves to the status code. @throws conflict when it exists and `replace` is off */
export const createSecret = async (client: Client, secret: SecretBody, replace: boolean): Promise<number> => {
  const reply = await client.call('POST', '/system/secrets', { json: secret });
  if (reply.status === 409 && replace) return updateSecret(client, secret);
  if (reply.status === 409) {
    const hint = 'change it with `sluice secret update`, or create it with --replace';
    throw new FaasError('conflict', `creating secret ${secret.name}: it exists already; ${hint}`);
  }
  expectStatus(client, reply, accepted, `creating secret ${secret.name}`);
  return reply.status;
};

/** Resolves to the status code. @throws not-found */
export const updateSecret = async (client: Client, secret: SecretBody): Promise<number> => {
  const reply = await client.call('PUT', '/system/secrets', { json: secret });
  if (reply.status === 404) {
    throw new FaasError('not-found', `updating secret ${secret.name}: there is none; make it with \`sluice secret create\``);
  }
  expectStatus(client, reply, accepted, `updating secret ${secret.name}`);
  return reply.status;
};

/** @throws not-found */
export const removeSecret = async (client: Client, name: string, namespace: string | undefined): Promise<void> => {
  const reply = await client.call('DELETE', '/system/secrets', { json: { name, namespace } });
  if (reply.status === 404) throw new FaasError('not-found', `removing secret ${name}: there is none`);
  expectStatus(client, reply, accepted, `removing secret ${name}`);
};
