// Names of functions, namespaces and secrets, and the `name.namespace` form that URLs and metrics use.
import { FaasError } from './errors.ts';

export type FunctionRef = { readonly name: string; readonly namespace: string };

/** Where functions live when a call names no namespace, as in OpenFaaS. */
export const defaultNamespace = 'openfaas-fn';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** RFC 1123 label, which Kubernetes demands of functions and namespaces: at most 63 of a-z, 0-9 and inner dashes. */
export const isLabelName = (text: string): boolean => text.length <= 63 && label.test(text);

/** RFC 1123 subdomain, which Kubernetes demands of secrets: labels joined by dots, at most 253 characters. */
export const isSubdomainName = (text: string): boolean => text.length <= 253 && subdomain.test(text);

export const labelNameRule = 'at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit';
export const subdomainNameRule =
  'at most 253 lower-case letters, digits, dashes and dots, starting and ending with a letter or digit';

/** The key of a function in tables and the `function_name` label of its metrics. */
export const formatRef = (ref: FunctionRef): string => `${ref.name}.${ref.namespace}`;

/** Splits at the last dot, as OpenFaaS does: `a.b.c` is function `a.b` in namespace `c`; no dot means `fallback`. */
export const parseRef = (text: string, fallback: string = defaultNamespace): FunctionRef => {
  const dot = text.lastIndexOf('.');
  if (dot === -1) return { name: text, namespace: fallback };
  return { name: text.slice(0, dot), namespace: text.slice(dot + 1) };
};

/** @throws invalid, naming `field`, when the text is no label name */
export const checkLabelName = (field: string, text: string): string => {
  if (!isLabelName(text)) throw new FaasError('invalid', `${field}: expected ${labelNameRule}, got ${JSON.stringify(text)}`);
  return text;
};
