// Does a replica answer? Our own question to it, as the API server's view of a pod may be old or missing.
import { watchdogReadyHeader } from '../types/headers.ts';
import { requestPlain } from './node-http.ts';

export type ProbeTarget = { readonly host: string; readonly port: number; readonly path: string };

/**
 * `refused`: nobody listens, or who listens says it is not ready. `silent`: no answer in time, which a busy function may
 * owe to a long computation.
 */
export type ProbeResult =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly detail: string }
  /** `reached`: the connection was taken, so there is a route. */
  | { readonly kind: 'silent'; readonly detail: string; readonly reached: boolean };

export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult>;

const timeoutMs = 1000;

const judge = (status: number, path: string): ProbeResult => {
  // No watchdog knows 404 here: somebody else's server, and it listens. 429 is a watchdog with all the calls it takes.
  if (status < 400 || status === 404 || status === 429) return { kind: 'ready' };
  return { kind: 'refused', detail: `${path} answers ${status}` };
};

/** GET of the path; a listener that speaks no HTTP counts as ready once it has taken the connection. */
export const probe: Probe = ({ host, port, path }, signal) =>
  new Promise((resolve) => {
    let connected = false;
    const asked = requestPlain({ host, port, path, agent: false, signal, headers: { 'User-Agent': 'kube-probe/sluice' } });
    const done = (result: ProbeResult): void => {
      clearTimeout(timer);
      asked.destroy();
      resolve(result);
    };
    const silent = (detail: string): void => done({ kind: 'silent', detail, reached: connected });
    const timer = setTimeout(() => silent(`no answer within ${timeoutMs}ms`), timeoutMs);
    asked.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    asked.on('response', (answer) => {
      const own = answer.headers[watchdogReadyHeader.toLowerCase()];
      if (own === 'false') done({ kind: 'refused', detail: "the function's own server does not listen yet" });
      else done(judge(answer.statusCode ?? 0, path));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => {
      const foreign = connected && error.code?.startsWith('HPE_') === true;
      const lost = error.code === 'ETIMEDOUT' || error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH';
      if (foreign) done({ kind: 'ready' });
      else if (lost) silent(error.message);
      else done({ kind: 'refused', detail: error.message });
    });
    asked.end();
  });
