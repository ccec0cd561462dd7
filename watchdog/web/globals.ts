// Puts our Request, Response and Headers in the place of Node's for the function's code. Node's are in undici: loading it
// takes 12 ms or more of a cold start, and a Response of its own for every call costs most of the throughput.
import { WebHeaders } from './headers.ts';
import { isRequest, RequestBase, WebRequest } from './request.ts';
import { WebResponse } from './response.ts';

type Fetch = (input: unknown, init?: Record<string, unknown>) => Promise<unknown>;

const define = (scope: object, name: string, value: unknown): void => {
  Object.defineProperty(scope, name, { value, writable: true, configurable: true, enumerable: name === 'fetch' });
};

/** `native` is the runtime's own fetch, which knows nothing of our Request. */
const createFetch =
  (native: Fetch): Fetch =>
  (input, init) => {
    if (!isRequest(input)) return native(input, init);
    const parts = RequestBase.partsOf(input);
    return native(parts.url, init === undefined ? parts.init : { ...parts.init, ...init });
  };

export const installWebGlobals = (scope: object): void => {
  // Why not globalThis.fetch in createFetch: it would find itself.
  const native = (scope as { fetch: Fetch }).fetch;
  const fetch = createFetch(native);
  Object.defineProperty(WebRequest, 'name', { value: 'Request' });
  Object.defineProperty(WebResponse, 'name', { value: 'Response' });
  Object.defineProperty(WebHeaders, 'name', { value: 'Headers' });
  define(scope, 'Headers', WebHeaders);
  define(scope, 'Request', WebRequest);
  define(scope, 'Response', WebResponse);
  define(scope, 'fetch', fetch);
};
