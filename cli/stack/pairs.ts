// `key=value` flags. Pure.
import { FaasError } from '../../provider/types/errors.ts';

/**
 * Only the first `=` splits.
 * @throws invalid naming the flag, for an empty key or value
 */
export const parsePairs = (flag: string, given: readonly string[]): Record<string, string> => {
  const pairs = new Map<string, string>();
  for (const text of given) {
    const at = text.indexOf('=');
    const key = text.slice(0, Math.max(at, 0)).trim();
    const value = text.slice(at + 1);
    if (key === '' || value === '') throw new FaasError('invalid', `${flag}: expected key=value, got ${JSON.stringify(text)}`);
    pairs.set(key, value);
  }
  return Object.fromEntries(pairs);
};
