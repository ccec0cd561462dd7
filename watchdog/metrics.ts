// The metrics of of-watchdog, counted without a library and printed in Prometheus' text format.
import type { ServerResponse } from 'node:http';

const buckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const knownMethods: ReadonlySet<string> = new Set([
  'GET',
  'PUT',
  'HEAD',
  'POST',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'NOTIFY',
  'TRACE',
  'PATCH',
]);

type Series = { readonly code: number; readonly method: string; count: number; sum: number; readonly buckets: Float64Array };

export type Metrics = {
  observe(method: string, code: number, seconds: number): void;
  /** Everything as text; `inFlight` is the number of calls running now. */
  text(inFlight: number): string;
};

const seriesText = (each: Series): { total: string; histogram: string } => {
  const labels = `code="${each.code}",method="${each.method}"`;
  const lines: string[] = [];
  let cumulated = 0;
  for (const [index, bound] of buckets.entries()) {
    cumulated += each.buckets[index] as number;
    lines.push(`http_request_duration_seconds_bucket{${labels},le="${bound}"} ${cumulated}`);
  }
  lines.push(`http_request_duration_seconds_bucket{${labels},le="+Inf"} ${each.count}`);
  lines.push(`http_request_duration_seconds_sum{${labels}} ${each.sum}`);
  lines.push(`http_request_duration_seconds_count{${labels}} ${each.count}`);
  return { total: `http_requests_total{${labels}} ${each.count}`, histogram: lines.join('\n') };
};

const processText = (): string => {
  const { user, system } = process.cpuUsage();
  return [
    '# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.',
    '# TYPE process_cpu_seconds_total counter',
    `process_cpu_seconds_total ${(user + system) / 1e6}`,
    '# HELP process_resident_memory_bytes Resident memory size in bytes.',
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    '# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.',
    '# TYPE process_start_time_seconds gauge',
    `process_start_time_seconds ${performance.timeOrigin / 1000}`,
  ].join('\n');
};

export const createMetrics = (): Metrics => {
  const byMethod = new Map<string, Map<number, Series>>();

  const find = (method: string, code: number): Series => {
    const key = knownMethods.has(method) ? method : 'unknown';
    let byCode = byMethod.get(key);
    if (byCode === undefined) {
      byCode = new Map();
      byMethod.set(key, byCode);
    }
    let series = byCode.get(code);
    if (series === undefined) {
      series = { code, method: key.toLowerCase(), count: 0, sum: 0, buckets: new Float64Array(buckets.length) };
      byCode.set(code, series);
    }
    return series;
  };

  return {
    observe: (method, code, seconds) => {
      const series = find(method, code);
      series.count += 1;
      series.sum += seconds;
      for (let i = 0; i < buckets.length; i += 1) {
        if (seconds <= (buckets[i] as number)) {
          series.buckets[i] = (series.buckets[i] as number) + 1;
          return;
        }
      }
    },
    text: (inFlight) => {
      const texts = [...byMethod.values()].flatMap((byCode) => [...byCode.values()]).map(seriesText);
      return [
        '# HELP http_requests_total Total number of HTTP requests.',
        '# TYPE http_requests_total counter',
        ...texts.map((each) => each.total),
        '# HELP http_request_duration_seconds Seconds spent serving HTTP requests.',
        '# TYPE http_request_duration_seconds histogram',
        ...texts.map((each) => each.histogram),
        '# HELP http_requests_in_flight Number of HTTP requests being served.',
        '# TYPE http_requests_in_flight gauge',
        `http_requests_in_flight ${inFlight}`,
        processText(),
        '',
      ].join('\n');
    },
  };
};

export const sendMetrics = (response: ServerResponse, metrics: Metrics, inFlight: number): void => {
  const text = metrics.text(inFlight);
  const type = 'text/plain; version=0.0.4; charset=utf-8';
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
};
