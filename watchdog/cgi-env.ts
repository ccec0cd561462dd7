// The request as environment variables of a forked function, as of-watchdog names them.
import type { IncomingHttpHeaders } from 'node:http';

export type RequestHead = {
  readonly method: string;
  readonly url: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
};

/** `x-call-id` is `X_Call_Id`: Go's canonical form with underscores. */
const canonical = (name: string): string =>
  name
    .toLowerCase()
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('_');

/** Only the first value of a header that came several times. */
export const cgiEnvironment = (request: RequestHead): Record<string, string> => {
  const variables: Record<string, string> = {};
  const { rawHeaders, url } = request;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = canonical(rawHeaders[i] as string);
    // Why not Http_Proxy: HTTP clients in the function would take it for their proxy, and anybody may send the header.
    if (name === 'Host' || name === 'Transfer_Encoding' || name === 'Proxy') continue;
    variables[`Http_${name}`] ??= (rawHeaders[i + 1] as string).replaceAll('\0', '');
  }
  const at = url.indexOf('?');
  variables.Http_Method = request.method;
  variables.Http_Path = at === -1 ? url : url.slice(0, at);
  if (at !== -1 && at < url.length - 1) variables.Http_Query = url.slice(at + 1);
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined) variables.Http_Transfer_Encoding = coding;
  return variables;
};
