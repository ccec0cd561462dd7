// One line and one sample for every control request. Invocations have their own.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isFaasError } from '../../provider/types/errors.ts';

export type AccessLog = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

export type Observe = (method: string, path: string, status: number, seconds: number) => void;

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Call it before the request is served; `path` is the route's, not the request's. */
export const watchRequest = (
  parts: { readonly log: AccessLog; readonly observe: Observe },
  path: string,
  req: IncomingMessage,
  res: ServerResponse,
): void => {
  const start = performance.now();
  res.once('close', () => {
    const ms = performance.now() - start;
    parts.observe(methods.has(req.method ?? '') ? (req.method ?? '') : 'other', path, res.statusCode, ms / 1000);
    const fields = {
      method: req.method,
      path: req.url?.split('?', 1)[0],
      status: res.statusCode,
      ms: Math.round(ms * 100) / 100,
    };
    // Probes come every few seconds and say nothing while all is well.
    if (path === '/healthz' && res.statusCode === 200) return;
    const line = res.writableFinished ? fields : { ...fields, aborted: true };
    // Who only looks changes nothing: what an operator wants to find later is what was changed and what was refused.
    const uneventful = res.statusCode < 400 || res.statusCode === 404;
    if (uneventful && reads.has(req.method ?? '')) parts.log.debug(line, 'control request');
    else parts.log.info(line, 'control request');
  });
};

/** What nobody foresaw goes to the log with its cause; everything else is the client's to know. */
export const logFailure = (log: AccessLog, req: IncomingMessage, error: unknown): void => {
  if (isFaasError(error) && error.code !== 'internal') return;
  log.error({ method: req.method, path: req.url?.split('?', 1)[0], err: error }, 'control request failed');
};
