// Function logs: the query of `GET /system/logs` and the messages it streams as NDJSON.
import { FaasError } from './errors.ts';

export type LogQuery = {
  readonly name: string;
  readonly namespace: string;
  readonly instance?: string | undefined;
  /** Last lines only; `undefined` means all within the window. */
  readonly tail?: number | undefined;
  readonly follow: boolean;
  /** Milliseconds since 1970; `undefined` with no tail means the last five minutes. */
  readonly sinceMs?: number | undefined;
};

export type LogMessage = {
  readonly name: string;
  readonly namespace: string;
  readonly instance: string;
  /** RFC 3339 */
  readonly timestamp: string;
  readonly text: string;
};

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const trueForms = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/**
 * The last value of a repeated key wins; a `tail` of 0 or less means unlimited (OpenFaaS contract, 1.8).
 * @throws unprocessable for a tail that is no whole number and a since that is no RFC 3339 time
 */
export const parseLogQuery = (query: URLSearchParams, fallbackNamespace: string): LogQuery => {
  const last = (key: string): string | undefined => query.getAll(key).at(-1);
  const tailText = last('tail') ?? '';
  if (!/^([+-]?\d+)?$/.test(tailText)) {
    throw new FaasError('unprocessable', `tail: expected a whole number, got ${JSON.stringify(tailText)}`);
  }
  const sinceText = last('since') ?? '';
  const sinceMs = Date.parse(sinceText);
  if (sinceText !== '' && (Number.isNaN(sinceMs) || !rfc3339.test(sinceText))) {
    throw new FaasError('unprocessable', `since: expected an RFC 3339 time, got ${JSON.stringify(sinceText)}`);
  }
  const name = last('name') ?? '';
  if (name === '') throw new FaasError('invalid', 'name: expected the name of a function, got nothing');
  const tail = Number(tailText || '0');
  return {
    name,
    namespace: last('namespace') || fallbackNamespace,
    instance: last('instance') || undefined,
    tail: tail > 0 ? tail : undefined,
    follow: trueForms.has(last('follow') ?? ''),
    sinceMs: sinceText === '' ? undefined : sinceMs,
  };
};
