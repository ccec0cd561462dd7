// One of several gateways on the same provider: its own table, activator, zero and listener, and its own delay until it hears
// of what the provider reports.
import { createFunctionHandler } from '../../../gateway/invoke/http.ts';
import { createInvoker } from '../../../gateway/invoke/invoke.ts';
import { createFunctionTable, type FunctionTable } from '../../../gateway/invoke/table.ts';
import { isFunctionPath } from '../../../gateway/invoke/target.ts';
import { createFunctionMetrics, type FunctionMetrics } from '../../../gateway/metrics/function-series.ts';
import { createActivator } from '../../../gateway/scale/activate.ts';
import type { IdleSettings } from '../../../gateway/scale/decide.ts';
import { createZero } from '../../../gateway/scale/zero.ts';
import { createServer } from '../../../gateway/server.ts';
import type { Provider, ProviderObserver } from '../../../provider/provider.ts';
import { type CallAnswer, type CallOptions, call } from '../../helpers/call.ts';
import { type Cleanup, onEnd } from '../../helpers/cleanup.ts';

export type OneGateway = {
  readonly port: number;
  readonly table: FunctionTable;
  readonly metrics: FunctionMetrics;
  readonly errors: unknown[];
  /** Resolves when it has heard of all that was reported so far. */
  heard(): Promise<unknown>;
  call(name: string, options?: CallOptions): Promise<CallAnswer>;
};

export type OneGatewayOptions = {
  readonly settings: IdleSettings;
  readonly everyMs: number;
  /** Delay of each report, in ms; those that come later stay behind. */
  readonly lagMs?: () => number;
  readonly waitLimitMs?: number;
};

/** Passes reports on in their order, each after its delay. As in a cluster, no replica waits for who has not heard yet. */
const delayed = (to: ProviderObserver, lagMs: () => number): { observer: ProviderObserver; heard(): Promise<unknown> } => {
  let last: Promise<unknown> = Promise.resolve();
  const later = (pass: () => unknown): void => {
    const due = new Promise<void>((resolve) => setTimeout(resolve, lagMs()));
    last = Promise.all([last, due]).then(() => void pass());
  };
  const observer: ProviderObserver = {
    functionChanged: (report) => later(() => to.functionChanged(report)),
    functionRemoved: (ref) => later(() => to.functionRemoved(ref)),
    endpointReady: (ref, endpoint) => later(() => to.endpointReady(ref, endpoint)),
    endpointGone: async (ref, id) => later(() => to.endpointGone(ref, id)),
    synced: () => later(() => to.synced()),
  };
  return { observer, heard: () => last };
};

export const startOneGateway = async (t: Cleanup, provider: Provider, options: OneGatewayOptions): Promise<OneGateway> => {
  const { settings, everyMs, lagMs, waitLimitMs = 20_000 } = options;
  const metrics = createFunctionMetrics();
  const table = createFunctionTable({ countsOf: metrics.of });
  const late = lagMs === undefined ? undefined : delayed(table, lagMs);
  provider.watch(metrics.observer);
  provider.watch(late?.observer ?? table);
  await table.whenSynced();
  const onOrder = (key: string): void => metrics.scaled(key, 'call');
  const activator = createActivator({ table, provider, waitLimitMs, onOrder });
  const errors: unknown[] = [];
  const zero = createZero({
    table,
    provider,
    settings,
    everyMs,
    othersMs: 100,
    onZero: (key) => metrics.scaled(key, 'idle'),
    onError: (_entry, error) => void errors.push(error),
  });
  const invoker = createInvoker({ table, provider, activator, upstreamTimeoutMs: waitLimitMs });
  const server = createServer({
    functions: createFunctionHandler({ invoker, defaultNamespace: 'openfaas-fn', version: '1.2.3' }),
    control: (_req, res) => void res.end(),
    isFunctionPath,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  onEnd(t, async () => {
    zero.close();
    activator.close();
    invoker.close();
    await server.close();
  });
  return {
    port,
    table,
    metrics,
    errors,
    heard: async () => late?.heard(),
    call: (name, { path = '', ...more } = {}) => call(`http://127.0.0.1:${port}`, { ...more, path: `/function/${name}${path}` }),
  };
};
