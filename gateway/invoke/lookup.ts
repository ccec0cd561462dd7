// A function that the table does not know may be new: one question to the provider, however many callers ask, and a no is
// remembered for a moment.
import type { Provider } from '../../provider/provider.ts';
import { FaasError, isFaasError } from '../../provider/types/errors.ts';
import { type FunctionRef, parseRef } from '../../provider/types/name.ts';
import type { FunctionEntry, FunctionTable } from './table.ts';

export type LookupParts = {
  readonly table: FunctionTable;
  readonly provider: Pick<Provider, 'get'>;
  /** How long a caller waits for the provider, and for the function to appear in the table after a yes. */
  readonly limitMs: number;
  readonly negativeMs?: number;
  readonly now?: (() => number) | undefined;
};

export interface Lookup {
  /** @throws not-found, or unavailable when the provider cannot say */
  find(key: string): Promise<FunctionEntry>;
}

/** Names that do not exist are the caller's to choose: their number must not be. */
const maxRemembered = 10_000;

export const createLookup = (parts: LookupParts): Lookup => {
  const { table, provider, limitMs } = parts;
  const negativeMs = parts.negativeMs ?? 1000;
  const now = parts.now ?? Date.now;
  const absentUntil = new Map<string, number>();
  const asking = new Map<string, Promise<FunctionEntry>>();

  const notFound = (ref: FunctionRef): FaasError =>
    new FaasError('not-found', `function ${ref.name} not found in namespace ${ref.namespace}`);

  const appears = (key: string): Promise<FunctionEntry> =>
    new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        stop();
        reject(
          new FaasError('unavailable', `function ${key}: known to the provider, not yet to this gateway`, { retryAfterS: 1 }),
        );
      }, limitMs);
      const check = (): void => {
        const entry = table.get(key);
        if (entry === undefined) return;
        clearTimeout(limit);
        stop();
        resolve(entry);
      };
      const stop = table.subscribe(check);
      check();
    });

  const bounded = async <T>(work: Promise<T>, key: string): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(new FaasError('unavailable', `function ${key}: the provider did not say within ${limitMs}ms whether it exists`)),
        limitMs,
      );
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      clearTimeout(timer);
    }
  };

  const ask = async (key: string): Promise<FunctionEntry> => {
    const ref = parseRef(key);
    let status: unknown;
    try {
      status = await bounded(provider.get(ref), key);
    } catch (error) {
      if (!isFaasError(error))
        throw new FaasError('unavailable', `function ${key}: the provider failed`, { cause: error, retryAfterS: 1 });
      // An unknown namespace is an invalid argument to a provider; to a caller it is a function that is not there.
      if (error.code !== 'invalid' && error.code !== 'not-found') throw error;
    }
    if (status !== undefined) return appears(key);
    if (absentUntil.size >= maxRemembered) absentUntil.clear();
    absentUntil.set(key, now() + negativeMs);
    throw notFound(ref);
  };

  return {
    find(key) {
      const until = absentUntil.get(key);
      if (until !== undefined) {
        if (until > now()) return Promise.reject(notFound(parseRef(key)));
        absentUntil.delete(key);
      }
      let answer = asking.get(key);
      if (answer === undefined) {
        answer = ask(key).finally(() => asking.delete(key));
        asking.set(key, answer);
      }
      return answer;
    },
  };
};
