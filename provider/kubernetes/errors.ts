// What Kubernetes refuses, as the error that the caller gets. The only place that knows Kubernetes' reasons.
import { type ErrorCode, FaasError } from '../types/errors.ts';
import type { KubeStatus } from './objects.ts';

/** An answer of the API server that is no success. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  /** Kubernetes' own word: NotFound, AlreadyExists, Conflict, Invalid, Forbidden, Expired, … */
  readonly reason: string;
  readonly retryAfterS: number | undefined;

  constructor(status: number, reason: string, message: string, retryAfterS?: number) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterS = retryAfterS;
  }
}

/** @param body the answer's text, a `Status` object as a rule */
export const toKubeError = (status: number, body: string, retryAfter?: string): KubeError => {
  const seconds = Number(retryAfter);
  const retryAfterS = Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
  try {
    const parsed = JSON.parse(body) as KubeStatus;
    if (parsed?.kind === 'Status') {
      const text = parsed.message ?? `status ${status}`;
      return new KubeError(parsed.code ?? status, parsed.reason ?? '', text, parsed.details?.retryAfterSeconds ?? retryAfterS);
    }
  } catch {
    // Not from the API server itself, but from something in front of it.
  }
  return new KubeError(status, '', body.trim().slice(0, 500) || `status ${status}`, retryAfterS);
};

export const hasReason = (error: unknown, ...reasons: readonly string[]): boolean =>
  error instanceof KubeError && reasons.includes(error.reason);

export const isNotFound = (error: unknown): boolean => error instanceof KubeError && error.status === 404;
/** A name that is taken. */
export const isTaken = (error: unknown): boolean => hasReason(error, 'AlreadyExists');
/** Somebody else wrote in between: read again and retry. */
export const isOvertaken = (error: unknown): boolean => hasReason(error, 'Conflict');
/** No answer, or one that says to ask again: not about what was asked for. */
export const isPassing = (error: unknown): boolean =>
  error instanceof KubeError ? error.status === 429 || error.status >= 500 : !(error instanceof FaasError);
/** The resource version is too old to go on from: list again. */
export const isExpired = (error: unknown): boolean =>
  error instanceof KubeError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  403: 'forbidden',
  404: 'not-found',
  405: 'not-implemented',
  409: 'conflict',
  413: 'too-large',
  422: 'invalid',
  429: 'busy',
  503: 'unavailable',
  504: 'timeout',
};

/**
 * @param what the thing that was worked on, such as `function "fn" in namespace "dev"`
 */
export const toFaasError = (error: unknown, what: string): FaasError => {
  if (error instanceof FaasError) return error;
  if (!(error instanceof KubeError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new FaasError('unavailable', `${what}: the Kubernetes API server could not be asked: ${message}`, {
      cause: error,
      retryAfterS: 1,
    });
  }
  if (error.status === 401) {
    // Not the caller's credentials are wrong, so the caller must not be told 401.
    return new FaasError('upstream', `${what}: Kubernetes does not accept the gateway's own credentials: ${error.message}`, {
      cause: error,
    });
  }
  const code = codes[error.status] ?? 'upstream';
  return new FaasError(code, `${what}: Kubernetes answered: ${error.message}`, {
    cause: error,
    reason: error.reason || undefined,
    retryAfterS: error.retryAfterS ?? (code === 'busy' || code === 'unavailable' ? 1 : undefined),
  });
};
