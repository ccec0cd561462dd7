// Loaded into a gateway on Kubernetes before its own code (with its types taken off): counts the requests that it makes of other
// programs, and how long its event loop is held. On SIGUSR2 it writes what it has seen since the last time to
// $SLUICE_BENCH_SEEN, and begins anew.
import { subscribe } from 'node:diagnostics_channel';
import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export type Seen = {
  /** Number of requests by method and path, without the query; watches have `watch` for a method. */
  readonly requests: Readonly<Record<string, number>>;
  /** The longest turn of the event loop, by processor time of its thread: what other programs take does not count. */
  readonly heldMs: number;
  /** Turns that were longer than 10 ms. */
  readonly longTurns: number;
};

/** What node:http publishes of a request. */
type Published = { readonly request: { readonly method: string; readonly path: string } };

const longMs = 10;

const watchMyself = (file: string): void => {
  const requests = new Map<string, number>();
  let heldMs = 0;
  let longTurns = 0;
  subscribe('http.client.request.created', (message) => {
    const { method, path } = (message as Published).request;
    const url = new URL(path, 'http://any');
    const key = `${url.searchParams.has('watch') ? 'watch' : method} ${url.pathname}`;
    requests.set(key, (requests.get(key) ?? 0) + 1);
  });
  let before = process.threadCpuUsage();
  setInterval(() => {
    const after = process.threadCpuUsage();
    const usedMs = (after.user - before.user + after.system - before.system) / 1000;
    before = after;
    heldMs = Math.max(heldMs, usedMs);
    if (usedMs > longMs) longTurns += 1;
  }, 1).unref();
  process.on('SIGUSR2', () => {
    const seen: Seen = { requests: Object.fromEntries(requests), heldMs, longTurns };
    writeFileSync(`${file}.part`, JSON.stringify(seen));
    renameSync(`${file}.part`, file);
    requests.clear();
    heldMs = 0;
    longTurns = 0;
    before = process.threadCpuUsage();
  });
};

const file = process.env.SLUICE_BENCH_SEEN;
if (isMainThread && file !== undefined) watchMyself(file);
