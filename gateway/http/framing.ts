// Requests that two readers could take for different requests. node:http lets some through that a function's server, or a
// proxy in front of us, may read otherwise.
import type { IncomingMessage } from 'node:http';

/** Why a request is ambiguous; `undefined` when it is not. */
export const ambiguity = (req: IncomingMessage): string | undefined => {
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined) {
    if (req.httpVersionMinor === 0) return 'a Transfer-Encoding in an HTTP/1.0 request';
    if (coding.toLowerCase() !== 'chunked') return `Transfer-Encoding: expected chunked, got ${JSON.stringify(coding)}`;
  }
  const raw = req.rawHeaders;
  let hosts = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts > 1 ? 'more than one Host header' : undefined;
};

const absolute = /^https?:\/\/([^/?#]*)(.*)$/i;

/** Turns the absolute form of a request target, as proxies get it, into path and `Host`, which it overrides (RFC 9112, 3.2.2). */
export const toOriginForm = (req: IncomingMessage): void => {
  const match = absolute.exec(req.url as string);
  if (match === null) return;
  const [, host = '', rest = ''] = match;
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  req.headers.host = host;
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    if ((req.rawHeaders[i] as string).toLowerCase() === 'host') req.rawHeaders[i + 1] = host;
  }
};
