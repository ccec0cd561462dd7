// Secrets on the wire. Values go in and never come out.
import { z } from 'zod';
import { FaasError } from './errors.ts';
import { isSubdomainName, subdomainNameRule } from './name.ts';
import { parse } from './validate.ts';

export type SecretRef = { readonly name: string; readonly namespace: string };
export type Secret = SecretRef & { readonly value: Buffer };

const secretName = z
  .string({ error: 'expected a secret name' })
  .refine(isSubdomainName, { error: `expected ${subdomainNameRule}` });

const Body = z.looseObject({
  name: secretName,
  namespace: z.string({ error: 'expected a namespace name' }).nullish(),
  value: z.string({ error: 'expected a text' }).nullish(),
  rawValue: z.base64({ error: 'expected base64' }).nullish(),
});

/** A secret's largest value in bytes; Kubernetes has the same limit. */
export const maxSecretBytes = 1024 * 1024;

/** Body of POST and PUT `/system/secrets`: `rawValue` (base64) wins over `value` when it is not empty. */
export const parseSecret = (body: unknown, fallbackNamespace: string): Secret => {
  const { name, namespace, value, rawValue } = parse(Body, body);
  const bytes = rawValue ? Buffer.from(rawValue, 'base64') : Buffer.from(value ?? '');
  if (bytes.length > maxSecretBytes) {
    throw new FaasError('too-large', `value: expected at most ${maxSecretBytes} bytes, got ${bytes.length}`);
  }
  return { name, namespace: namespace || fallbackNamespace, value: bytes };
};

/** Body of DELETE `/system/secrets`. */
export const parseSecretRef = (body: unknown, fallbackNamespace: string): SecretRef => {
  const { name, namespace } = parse(Body, body);
  return { name, namespace: namespace || fallbackNamespace };
};
