// Asks an endpoint whether it is alive: one request of our own, on a connection of its own.

import type { Address } from '../../provider/provider.ts';
import { request } from '../node-http.ts';

export interface Probe {
  cancel(): void;
}

/** Exactly one of `answered` and `broken` is called, unless the probe is cancelled; `late` may come before. */
export interface ProbeListener {
  answered(): void;
  /** Nothing came within the limit; the answer is still waited for. */
  late(): void;
  broken(): void;
}

/** How long the answer of an endpoint that was silent is waited for, before it is asked anew. */
const givenUpMs = 30_000;

/** @param limitMs after which it is late */
export const startProbe = (address: Address, limitMs: number, listener: ProbeListener): Probe => {
  const named = 'socketPath' in address ? { socketPath: address.socketPath } : address;
  const headers = { Host: 'localhost', Connection: 'close', 'User-Agent': 'sluice-probe' };
  const outgoing = request({ ...named, path: '/_/health', headers, agent: false });
  let over = false;
  const end = (tell: (() => void) | undefined): void => {
    if (over) return;
    over = true;
    clearTimeout(limit);
    clearTimeout(giveUp);
    outgoing.destroy();
    tell?.();
  };
  // One more turn: after a long one of ours the answer may be here and unread.
  const limit = setTimeout(() => setImmediate(() => setImmediate(() => !over && listener.late())), limitMs);
  const giveUp = setTimeout(() => end(() => listener.broken()), Math.max(givenUpMs, limitMs));
  limit.unref();
  giveUp.unref();
  // Any answer will do: an endpoint that is not to be used any more is its provider's to report.
  outgoing.once('response', () => end(() => listener.answered()));
  outgoing.on('error', () => end(() => listener.broken()));
  outgoing.on('socket', (socket) => socket.unref());
  outgoing.end();
  return { cancel: () => end(undefined) };
};
