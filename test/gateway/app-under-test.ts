// The real control API on a real port around a memory provider.
import type { TestContext } from 'node:test';
import { type AppParts, createApp, createRoutes } from '../../gateway/app.ts';
import { authorize } from '../../gateway/http/authorize.ts';
import { basicAuth } from '../../gateway/http/basic-auth.ts';
import type { Route } from '../../gateway/http/route.ts';
import { type CallAnswer, call } from '../helpers/call.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { listen } from '../helpers/listen.ts';
import { createMemoryProvider, type MemoryProvider, type MemoryProviderOptions } from '../memory/provider.ts';

export const credentials = { user: 'admin', password: 'right' };
export const authorization = `Basic ${Buffer.from('admin:right').toString('base64')}`;

export type Sample = { readonly method: string; readonly path: string; readonly status: number; readonly seconds: number };

export type AppUnderTest = {
  readonly url: string;
  readonly provider: MemoryProvider;
  readonly samples: Sample[];
  readonly lines: object[];
  readonly counts: Map<string, number>;
  /** `name.namespace cause`. */
  readonly scalings: string[];
  /** The route table. */
  readonly routes: readonly Route[];
  /** With credentials; an object as body is sent as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<CallAnswer>;
  stop(): void;
};

export const startApp = async (
  t: TestContext,
  options: MemoryProviderOptions = {},
  parts: Partial<AppParts> = {},
): Promise<AppUnderTest> => {
  const provider = createMemoryProvider(options);
  onEnd(t, () => provider.close());
  const stopping = new AbortController();
  const samples: Sample[] = [];
  const lines: object[] = [];
  const counts = new Map<string, number>();
  const scalings: string[] = [];
  const all: AppParts = {
    provider,
    authenticate: basicAuth(credentials),
    authorize,
    version: { release: '1.2.3', sha: 'abc' },
    defaultNamespace: 'openfaas-fn',
    maxBundleBytes: 1024 * 1024,
    readTimeoutMs: 5_000,
    countOf: (key) => counts.get(key) ?? 0,
    timeoutsOf: () => undefined,
    observe: (method, path, status, seconds) => void samples.push({ method, path, status, seconds }),
    scaled: (key, cause) => void scalings.push(`${key} ${cause}`),
    stopping: stopping.signal,
    log: {
      debug: (fields) => void lines.push({ ...fields, level: 'debug' }),
      info: (fields) => void lines.push({ ...fields, level: 'info' }),
      error: (fields) => void lines.push({ ...fields, level: 'error' }),
    },
    ...parts,
  };
  const { url } = await listen(t, createApp(all));
  return {
    url,
    provider,
    samples,
    lines,
    counts,
    scalings,
    routes: createRoutes(all),
    stop: () => stopping.abort(),
    ask: (method, path, body, headers = {}) => {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      // Node sends the body of a DELETE without any framing unless it is told the length.
      const length: Record<string, string> =
        text === undefined || 'Transfer-Encoding' in headers ? {} : { 'Content-Length': String(Buffer.byteLength(text)) };
      return call(url, { method, path, headers: { Authorization: authorization, ...length, ...headers }, body: text });
    },
  };
};
