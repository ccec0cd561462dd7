// The one error class of every process, its closed set of codes, and how both travel over HTTP.
// A failure is thrown where it is known and turned into a response in one place per process.

/** HTTP status of every error code. The table is the definition of the set. */
export const httpStatus = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'request-timeout': 408,
  conflict: 409,
  'too-large': 413,
  'expectation-failed': 417,
  unprocessable: 422,
  busy: 429,
  'headers-too-large': 431,
  internal: 500,
  'not-implemented': 501,
  upstream: 502,
  unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof httpStatus;

export type FaasErrorOptions = {
  readonly cause?: unknown;
  /** Seconds after which a retry makes sense; sent as `Retry-After`. */
  readonly retryAfterS?: number | undefined;
  /** Machine-readable reason, finer than the code: `CrashLoop`, `OOMKilled`, … Sent as `X-Error-Reason`. */
  readonly reason?: string | undefined;
};

export class FaasError extends Error {
  override readonly name = 'FaasError';
  readonly code: ErrorCode;
  readonly retryAfterS: number | undefined;
  readonly reason: string | undefined;

  constructor(code: ErrorCode, message: string, options: FaasErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterS = options.retryAfterS;
    this.reason = options.reason;
  }

  get status(): number {
    return httpStatus[this.code];
  }
}

export const isFaasError = (error: unknown): error is FaasError => error instanceof FaasError;

const isErrorCode = (value: string): value is ErrorCode => Object.hasOwn(httpStatus, value);

/** The closest code for a status that came without one, as from an OpenFaaS gateway. */
export const codeOfStatus = (status: number): ErrorCode => {
  for (const [code, known] of Object.entries(httpStatus)) if (known === status) return code as ErrorCode;
  return status >= 500 ? 'internal' : 'invalid';
};

/** The error behind a response: `code` is its `X-Error-Code` header if it has one, `body` its text. */
export const fromWire = (status: number, code: string | undefined, body: string): FaasError =>
  new FaasError(code !== undefined && isErrorCode(code) ? code : codeOfStatus(status), body.trim() || `status ${status}`);

/** Any thrown value as a `FaasError`; what we did not foresee is `internal`. */
export const toFaasError = (error: unknown): FaasError => {
  if (error instanceof FaasError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FaasError('internal', message, { cause: error });
};
