// Requests that two readers could take for different requests. node:http lets some through that a function's server, or a
// proxy in front of us, may read otherwise.
import type { IncomingMessage } from 'node:http';

/** A name or an address in brackets, and maybe a port; the empty one is allowed (RFC 9112, 3.2). */
const host = /^(?:[A-Za-z0-9\-._~%!$&'()*+,;=]*|\[[A-Za-z0-9\-._~%!$&'()*+,;=:]+\])(?::\d*)?$/;

/** A number of more digits cannot be told from its neighbours. */
const maxLengthDigits = 15;

const hostProblem = (req: IncomingMessage): string | undefined => {
  const raw = req.rawHeaders;
  let hosts = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    hosts += 1;
    if (!host.test(raw[i + 1] as string)) return `Host: expected a host and a port, got ${JSON.stringify(raw[i + 1])}`;
  }
  if (hosts > 1) return 'more than one Host header';
  return hosts === 0 && req.httpVersionMinor === 1 ? 'no Host header' : undefined;
};

/** Why a request is ambiguous; `undefined` when it is not. */
export const ambiguity = (req: IncomingMessage): string | undefined => {
  if (req.httpVersionMajor !== 1) return `HTTP/${req.httpVersion}: expected HTTP/1.1 or HTTP/1.0`;
  const coding = req.headers['transfer-encoding'];
  if (coding !== undefined) {
    if (req.httpVersionMinor === 0) return 'a Transfer-Encoding in an HTTP/1.0 request';
    if (coding.toLowerCase() !== 'chunked') return `Transfer-Encoding: expected chunked, got ${JSON.stringify(coding)}`;
  }
  const length = req.headers['content-length'];
  if (length !== undefined && length.length > maxLengthDigits) {
    return `Content-Length: expected at most ${maxLengthDigits} digits, got ${length.length}`;
  }
  return hostProblem(req);
};

/** Whether the request target is a path, or the asterisk of OPTIONS. */
export const isOriginForm = ({ url, method }: IncomingMessage): boolean =>
  (url as string).charCodeAt(0) === 47 || (url === '*' && method === 'OPTIONS');

/** Whether the request is the last on its connection, which node:http does not see in HTTP/1.0 where `keep-alive` is said, too. */
export const isLast = ({ httpVersionMinor, headers }: IncomingMessage): boolean =>
  httpVersionMinor === 0 && /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(headers.connection ?? '');

/** Whether a request's head announces a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean => {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && length !== '0';
};

const absolute = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * Turns the absolute form of a request target, as proxies get it, into path and `Host`, which it overrides (RFC 9112, 3.2.2).
 * Returns what is wrong with a target that begins with no slash, if something is.
 */
export const toOriginForm = (req: IncomingMessage): string | undefined => {
  const match = absolute.exec(req.url as string);
  if (match === null) return `request target: expected a path or an http URL, got ${JSON.stringify(req.url)}`;
  const [, authority = '', rest = ''] = match;
  if (authority === '' || !host.test(authority)) {
    return `request target: expected a host and a port, got ${JSON.stringify(authority)}`;
  }
  req.url = rest.startsWith('/') ? rest : `/${rest}`;
  req.headers.host = authority;
  const raw = req.rawHeaders;
  const at = raw.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  if (at === -1) raw.push('Host', authority);
  else raw[at + 1] = authority;
  return undefined;
};
