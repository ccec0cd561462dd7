// What every mode of the watchdog can do.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Call } from '../call.ts';
import type { StartError } from '../start-error.ts';

export interface Runner {
  handle(call: Call): void;
  /** Only where upgraded connections (WebSocket) reach the function. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Whether a call would reach the function now. */
  ready(): boolean;
  /** Ends what the runner started, politely first. Called when no call is running any more. */
  stop(): Promise<void>;
  /** Ends it at once and synchronously. */
  kill(): void;
}

/** Called at most once when the function can take no calls any more; the watchdog then exits. */
export type OnDeath = (error: StartError) => void;
