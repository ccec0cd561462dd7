// The gateway's own metrics, process and event loop included, in a registry of its own.
import { readdir } from 'node:fs/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type ControlMetrics = {
  /** One answered request of the control API; `path` is the route's, so that names in paths make no series. */
  observe(method: string, path: string, status: number, seconds: number): void;
  /** Prometheus text. */
  text(): Promise<string>;
  readonly contentType: string;
  close(): void;
};

/** prom-client reads or builds these synchronously in time that grows with open sockets. */
const slowWithManySockets = [
  'process_open_fds',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
];

const watchOpenFiles = (registry: Registry): void => {
  new Gauge({
    name: 'process_open_fds',
    help: 'Open file descriptors.',
    registers: [registry],
    async collect() {
      const files = await readdir('/proc/self/fd').catch(() => undefined);
      if (files !== undefined) this.set(files.length - 1);
    },
  });
};

const watchStaleness = (registry: Registry, staleMs: () => number): void => {
  new Gauge({
    name: 'sluice_provider_stale_seconds',
    help: 'How long ago the state of functions was last known to be true; 0 while it is.',
    registers: [registry],
    collect() {
      this.set(staleMs() / 1000);
    },
  });
};

/** Twenty times a second is often enough to see what holds up calls, and seldom enough to cost nothing. */
const lookEveryMs = 50;

/**
 * How late a timer is, which is how long anything else has to wait. prom-client's own figures begin at its timer's 10 ms and
 * are forgotten with each scrape, so that two Prometheus servers take them from each other.
 */
const watchEventLoop = (registry: Registry): (() => void) => {
  const delays = new Histogram({
    name: 'sluice_event_loop_delay_seconds',
    help: 'How late timers of the gateway are, 20 times a second.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  let dueMs = performance.now() + lookEveryMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    delays.observe(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + lookEveryMs;
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
};

/**
 * @param version shown as label of `sluice_build_info`
 * @param staleMs age of what is known of functions; a provider that cannot fall behind has none
 */
export const createControlMetrics = (version: string, staleMs: () => number = () => 0): ControlMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of slowWithManySockets) registry.removeSingleMetric(name);
  if (process.platform === 'linux') watchOpenFiles(registry);
  watchStaleness(registry, staleMs);
  const close = watchEventLoop(registry);
  const labelNames = ['method', 'path', 'status'] as const;
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests of the control API.',
    labelNames,
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of requests of the control API.',
    labelNames,
    registers: [registry],
  });
  new Gauge({ name: 'sluice_build_info', help: 'Always 1.', labelNames: ['version'], registers: [registry] }).set({ version }, 1);
  return {
    observe(method, path, status, seconds) {
      const labels = { method, path, status: String(status) };
      requests.inc(labels);
      durations.observe(labels, seconds);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close,
  };
};
