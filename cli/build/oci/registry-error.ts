// What to tell somebody whose registry says no. Pure.
import { type ErrorCode, FaasError } from '../../../provider/types/errors.ts';

export type Attempted = {
  readonly registry: string;
  readonly repository: string;
  /** As in `reading the manifest of 1.0`. */
  readonly what: string;
};

const codeOf = (status: number): ErrorCode => {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not-found';
  return status === 429 ? 'busy' : 'upstream';
};

/** The registry's own words: `code: message` of the first error. */
const wordsOf = (body: string): string => {
  try {
    const { errors, details } = JSON.parse(body) as { errors?: { code?: string; message?: string }[]; details?: string };
    const first = errors?.[0];
    const words = first === undefined ? details : [first.code, first.message].filter((each) => each).join(': ');
    return (words ?? '').slice(0, 300);
  } catch {
    return body.trim().startsWith('<') ? '' : body.trim().slice(0, 200);
  }
};

const adviceFor = (status: number, { registry, repository }: Attempted, hadLogin: boolean): string => {
  const login = `\`docker login ${registry}\``;
  if (status === 401 && !hadLogin) return `no login for ${registry} in docker's config.json: log in with ${login}`;
  if (status === 401) return `the login for ${registry} was not accepted: log in again with ${login}`;
  if (status === 403) return hadLogin ? `the login for ${registry} may not do this with ${repository}` : `log in with ${login}`;
  if (status === 404) return 'check the name; some registries want a repository to be created before the first push';
  if (status === 413) return 'a proxy in front of the registry limits the size of requests: raise its limit';
  if (status === 429) return 'the registry limits requests: try again later, or log in';
  if (status >= 500) return 'the registry or a proxy in front of it has a problem: its log says more';
  return '';
};

export const statusError = (attempted: Attempted, status: number, body: string, hadLogin: boolean): FaasError => {
  const { registry, repository, what } = attempted;
  const parts = [wordsOf(body), adviceFor(status, attempted, hadLogin)].filter((each) => each !== '');
  return new FaasError(codeOf(status), [`registry ${registry}: ${what} (${repository}): status ${status}`, ...parts].join('; '));
};

const connectionAdvice: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be looked up now',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: name its authority in NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed: name its authority in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified: name its authority in NODE_EXTRA_CA_CERTS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: put it into SLUICE_INSECURE_REGISTRIES to use plain HTTP',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: put it into SLUICE_INSECURE_REGISTRIES to use plain HTTP',
};

export const connectionError = (attempted: Attempted, error: unknown): FaasError => {
  const { registry, repository, what } = attempted;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = connectionAdvice[code] ?? (error instanceof Error ? error.message || code : String(error));
  return new FaasError('unavailable', `registry ${registry}: ${what} (${repository}): ${message}`, { cause: error });
};

const transientReason = 'Transient';

/** The same failure, marked as one that may be gone at the next attempt. */
export const transient = (error: FaasError, retryAfterMs?: number): FaasError =>
  new FaasError(error.code, error.message, {
    cause: error.cause,
    reason: transientReason,
    ...(retryAfterMs === undefined ? {} : { retryAfterS: retryAfterMs / 1000 }),
  });

export const isTransient = (error: unknown): error is FaasError => error instanceof FaasError && error.reason === transientReason;
