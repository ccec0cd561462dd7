// /system/secrets: values go in and never come out. OpenFaaS contract, 1.7.
import type { Provider } from '../../provider/provider.ts';
import { maxSecretBytes, parseSecret, parseSecretRef } from '../../provider/types/secret.ts';
import { sendEmpty, sendList } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';

type Run = Route['run'];

/** Bytes of a body with the largest secret as base64 and room for the rest. */
export const maxSecretBodyBytes = 2 * maxSecretBytes;

export const secretHandlers = (provider: Provider) => ({
  list: (async ({ res, namespace }) => {
    const secrets = await provider.secrets.list(namespace);
    await sendList(
      res,
      secrets.map((secret) => ({ name: secret.name, namespace: secret.namespace })),
    );
  }) satisfies Run,

  create: (async ({ res, body, namespace }) => {
    await provider.secrets.create(parseSecret(body, namespace));
    sendEmpty(res, 202);
  }) satisfies Run,

  update: (async ({ res, body, namespace }) => {
    await provider.secrets.update(parseSecret(body, namespace));
    sendEmpty(res, 202);
  }) satisfies Run,

  remove: (async ({ res, body, namespace }) => {
    await provider.secrets.remove(parseSecretRef(body, namespace));
    sendEmpty(res, 202);
  }) satisfies Run,
});
