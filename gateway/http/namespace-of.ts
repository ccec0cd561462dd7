// Which namespace a control request is about: settled once, before authorisation, and used by nobody else's rule.
import { FaasError } from '../../provider/types/errors.ts';
import { isLabelName, labelNameRule } from '../../provider/types/name.ts';
import type { NamespaceSource } from './route.ts';

const textField = (body: unknown, field: string): string => {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[field] : undefined;
  return typeof value === 'string' ? value : '';
};

const checked = (namespace: string): string => {
  if (isLabelName(namespace)) return namespace;
  throw new FaasError('invalid', `namespace: expected ${labelNameRule}, got ${JSON.stringify(namespace)}`);
};

/**
 * @returns undefined for `none`
 * @throws invalid for a bad name, and for two different ones in body and query
 */
export const namespaceOf = (
  source: NamespaceSource,
  given: { readonly name: string; readonly query: URLSearchParams; readonly body: unknown },
  fallback: string,
): string | undefined => {
  if (source === 'none') return undefined;
  if (source === 'path') return checked(given.name);
  if (source === 'body-name') {
    const name = textField(given.body, 'name');
    return name === '' ? undefined : checked(name);
  }
  const fromQuery = given.query.getAll('namespace').at(-1) ?? '';
  const fromBody = source === 'body' ? textField(given.body, 'namespace') : '';
  if (fromQuery !== '' && fromBody !== '' && fromQuery !== fromBody) {
    throw new FaasError(
      'invalid',
      `namespace: expected the same in body and query, got ${JSON.stringify(fromBody)} and ${JSON.stringify(fromQuery)}`,
    );
  }
  return checked(fromBody || fromQuery || fallback);
};
