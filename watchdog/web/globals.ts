// Puts our Request, Response and Headers in the place of Node's for the function's code. Node's are in undici: loading it
// takes 12 ms or more of a cold start, and a Response of its own for every call costs most of the throughput.
import { WebHeaders } from './headers.ts';
import { isRequest, RequestBase, WebRequest } from './request.ts';
import { WebResponse } from './response.ts';

type Fetch = (input: unknown, init?: Record<string, unknown>) => Promise<unknown>;

/** Why not Object.defineProperty: it reads what was there, and that reading is what loads undici. */
const replace = (scope: object, name: string, value: unknown): void => {
  Reflect.set(scope, name, value);
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
  const fetch = createFetch((scope as { fetch: Fetch }).fetch);
  Object.defineProperty(WebRequest, 'name', { value: 'Request' });
  Object.defineProperty(WebResponse, 'name', { value: 'Response' });
  Object.defineProperty(WebHeaders, 'name', { value: 'Headers' });
  replace(scope, 'Headers', WebHeaders);
  replace(scope, 'Request', WebRequest);
  replace(scope, 'Response', WebResponse);
  replace(scope, 'fetch', fetch);
};
