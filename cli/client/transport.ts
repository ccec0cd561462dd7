// One HTTP request of the CLI. Why not fetch: it cannot send a body with GET, and it cuts a stream that is silent for
// five minutes, which a followed log may well be.
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Readable } from 'node:stream';
import { FaasError } from '../../provider/types/errors.ts';
import type { Environment } from '../context.ts';
import { Agent as HttpAgent, request as httpRequest } from '../node-http.ts';
import { isLoopback } from './gateway-address.ts';

export type Outgoing = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body?: Buffer | Readable | undefined;
  /** Until the response head; a body may take as long as it likes. 0 means no limit. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly tlsNoVerify: boolean;
  /** For http_proxy and friends. */
  readonly env: Environment;
};

const advice: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start a gateway with `sluice gateway`, or name yours with --gateway or OPENFAAS_URL',
  ENOTFOUND: 'the host name is unknown; name the gateway with --gateway or OPENFAAS_URL',
  EAI_AGAIN: 'the host name cannot be looked up now; name the gateway with --gateway or OPENFAAS_URL',
  EPROTO: 'it does not speak TLS; try http:// instead of https://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; try http:// instead of https://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; try http:// instead of https://',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP; is it a function gateway, and without https://?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; --tls-no-verify accepts it',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed; --tls-no-verify accepts it',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified; --tls-no-verify accepts it',
  CERT_HAS_EXPIRED: 'its certificate has expired; --tls-no-verify accepts it',
};

const unreachable = (url: string, error: NodeJS.ErrnoException): FaasError => {
  const code = error.code ?? '';
  const hint = advice[code] ?? (error.message || code);
  return new FaasError('unavailable', `cannot reach ${new URL(url).origin}: ${hint}`, { cause: error });
};

const start = async (outgoing: Outgoing): Promise<ClientRequest> => {
  const url = new URL(outgoing.url);
  // A proxy knows nothing of this machine's own addresses.
  const shared = { keepAlive: false, ...(isLoopback(url.href) ? {} : { proxyEnv: { ...outgoing.env } }) };
  const options: RequestOptions = { method: outgoing.method, headers: outgoing.headers, signal: outgoing.signal };
  if (url.protocol !== 'https:') return httpRequest(url, { ...options, agent: new HttpAgent(shared) });
  // Why here: TLS costs as long to load as the rest of the command, and a local gateway has none.
  const { Agent, request } = await import('node:https');
  return request(url, { ...options, agent: new Agent({ ...shared, rejectUnauthorized: !outgoing.tlsNoVerify }) });
};

const settle = (request: ClientRequest, outgoing: Outgoing): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    let answered = false;
    const tooLate = (): void => {
      const message = `no answer from ${new URL(outgoing.url).origin} within ${outgoing.timeoutMs / 1000} s`;
      request.destroy(new FaasError('timeout', message));
    };
    const timer = outgoing.timeoutMs === 0 ? undefined : setTimeout(tooLate, outgoing.timeoutMs);
    request.on('response', (response) => {
      clearTimeout(timer);
      answered = true;
      resolve(response);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      // Why: a server that refuses a large body answers first and cuts the connection then; the answer is what counts.
      if (!answered) reject(error instanceof FaasError || error.name === 'AbortError' ? error : unreachable(outgoing.url, error));
    });
    if (outgoing.body === undefined || Buffer.isBuffer(outgoing.body)) request.end(outgoing.body);
    else {
      outgoing.body.on('error', (error) => request.destroy(error));
      outgoing.body.pipe(request);
    }
  });

/** @throws unavailable when no answer came, with what to do; timeout when none came in time */
export const send = async (outgoing: Outgoing): Promise<IncomingMessage> => settle(await start(outgoing), outgoing);
