// Reads the URL of an invocation: /function/<name>[.<namespace>][/path][?query].

const prefix = '/function/';

export const isFunctionPath = (url: string): boolean => url.startsWith(prefix);

export type Target = {
  /** `name.namespace`. */
  readonly key: string;
  /** Path and query for the function, byte for byte. */
  readonly target: string;
};

/** a-z A-Z 0-9 - _ . */
const isNameCode = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 48 && code <= 57) ||
  code === 45 ||
  code === 46 ||
  (code >= 65 && code <= 90) ||
  code === 95;

/**
 * `undefined` when the URL names no function.
 * @param url that `isFunctionPath`
 */
export const parseTarget = (url: string, defaultNamespace: string): Target | undefined => {
  const start = prefix.length;
  let end = start;
  let dot = -1;
  for (; end < url.length; end += 1) {
    const code = url.charCodeAt(end);
    if (code === 47 || code === 63) break;
    if (!isNameCode(code)) return undefined;
    if (code === 46) dot = end;
  }
  if (end === start || dot === start) return undefined;
  const name = url.slice(start, end);
  const rest = url.slice(end);
  return {
    key: dot === -1 ? `${name}.${defaultNamespace}` : name,
    target: rest === '' ? '/' : rest.charCodeAt(0) === 63 ? `/${rest}` : rest,
  };
};
