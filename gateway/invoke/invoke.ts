// A call, whoever makes it, in three steps: acquire an endpoint, transfer request and answer, release.
import type { Provider } from '../../provider/provider.ts';
import type { CallLog } from '../http/call-log.ts';
import type { Activator } from './acquire.ts';
import { type CallParts, InvokeCall } from './call.ts';
import type { Invoke } from './invocation.ts';
import { LoggedCall } from './logged-call.ts';
import { createLookup } from './lookup.ts';
import type { FunctionTable } from './table.ts';
import { createUpgrader, type Upgrade } from './upgrade.ts';
import { createEndpointWatch, type WatchParts } from './watch-endpoints.ts';

export type InvokerParts = {
  readonly table: FunctionTable;
  readonly provider: Pick<Provider, 'get'>;
  readonly activator: Activator;
  /** Limit for one call of a function that has none of its own; 0 for none. */
  readonly upstreamTimeoutMs: number;
  readonly connectTimeoutMs?: number;
  /** Absent when calls are not logged. */
  readonly callLog?: CallLog | undefined;
  /** How silent endpoints are found. */
  readonly watching?: Omit<WatchParts, 'table'>;
  /** As Math.random. */
  readonly random?: () => number;
  /** As Date.now. */
  readonly now?: () => number;
};

export interface Invoker {
  readonly invoke: Invoke;
  readonly upgrade: Upgrade;
  /** Looks after endpoints no more; calls under way are not touched. */
  close(): void;
}

/** As much as Node.js reads at once by itself. */
const readBytes = 64 * 1024;

export const createInvoker = (parts: InvokerParts): Invoker => {
  const { table, provider, upstreamTimeoutMs, callLog } = parts;
  // A provider that says nothing must not hold a caller longer than a function that says nothing would.
  const lookup = createLookup({ table, provider, limitMs: upstreamTimeoutMs || 60_000, now: parts.now });
  const watch = createEndpointWatch({ ...parts.watching, table });
  const callParts: CallParts = {
    ...parts,
    lookup,
    watch,
    connectTimeoutMs: parts.connectTimeoutMs ?? 5000,
    readBuffer: Buffer.allocUnsafeSlow(readBytes),
  };
  return {
    invoke(invocation, sink) {
      const logged = callLog?.wants() === true;
      const call = logged ? new LoggedCall(callParts, invocation, sink, callLog) : new InvokeCall(callParts, invocation, sink);
      call.begin();
      return call;
    },
    upgrade: createUpgrader({ ...callParts, callLog }),
    close: () => watch.close(),
  };
};
