// Secrets on the wire. Values go in and never come out.
import { z } from 'zod';
import { FaasError } from './errors.ts';
import { isSubdomainName, subdomainNameRule } from './name.ts';
import { describeIssues } from './validate.ts';

export type SecretRef = { readonly name: string; readonly namespace: string };

/** Kubernetes' words: files of a function, or a login with which nodes pull the images of functions. */
export const secretTypes = ['Opaque', 'kubernetes.io/dockerconfigjson'] as const;
export type SecretType = (typeof secretTypes)[number];

/** Without a type a new secret is opaque, and one that is there keeps its own. */
export type Secret = SecretRef & { readonly value: Buffer; readonly type?: SecretType };

const secretName = z
  .string({ error: 'expected a secret name' })
  .refine(isSubdomainName, { error: `expected ${subdomainNameRule}` });

const Body = z.looseObject({
  name: secretName,
  namespace: z.string({ error: 'expected a namespace name' }).nullish(),
  value: z.string({ error: 'expected a text' }).nullish(),
  rawValue: z.base64({ error: 'expected base64' }).nullish(),
  type: z.enum(secretTypes, { error: `expected ${secretTypes.join(' or ')}` }).nullish(),
});

/** What may be repeated in an error message: everything but the secret itself. */
const withoutValue = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && !Array.isArray(body)
    ? { ...body, value: '(hidden)', rawValue: '(hidden)' }
    : `(hidden ${Array.isArray(body) ? 'list' : typeof body})`;

const checked = (body: unknown): z.output<typeof Body> => {
  const result = Body.safeParse(body);
  if (result.success) return result.data;
  throw new FaasError('invalid', describeIssues(result.error, withoutValue(body), 'body'));
};

/** A secret's largest value in bytes; Kubernetes has the same limit. */
export const maxSecretBytes = 1024 * 1024;

/**
 * Body of POST and PUT `/system/secrets`: `rawValue` (base64) wins over `value` when it is not empty.
 * @throws invalid, never repeating the value; too-large
 */
export const parseSecret = (body: unknown, fallbackNamespace: string): Secret => {
  const { name, namespace, value, rawValue, type } = checked(body);
  const bytes = rawValue ? Buffer.from(rawValue, 'base64') : Buffer.from(value ?? '');
  if (bytes.length > maxSecretBytes) {
    throw new FaasError('too-large', `value: expected at most ${maxSecretBytes} bytes, got ${bytes.length}`);
  }
  return { name, namespace: namespace || fallbackNamespace, value: bytes, ...(type ? { type } : {}) };
};

/** Body of DELETE `/system/secrets`. */
export const parseSecretRef = (body: unknown, fallbackNamespace: string): SecretRef => {
  const { name, namespace } = checked(body);
  return { name, namespace: namespace || fallbackNamespace };
};
