// The Prometheus text of the functions' series, piece by piece: written in slices by server.ts, so that a scrape of
// thousands of functions does not hold up calls.
import { coldPhases } from '../invoke/cold-start.ts';
import { escapeLabel } from './escape-label.ts';
import type { FunctionMetrics } from './function-series.ts';
import type { Write } from './page.ts';
import { countColumn, type FunctionSeries, secondsBuckets, sumColumn } from './series.ts';
import { lines as callLines } from './waits.ts';

type Head = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
};

/** Of every function, some short lines that are kept until a call counts, or a report changes, one of those on their page. */
type Kept = Head & { readonly about: 'counts' | 'reports'; readonly lines: Write<FunctionSeries> };

/** Of functions that were called; empty when one has none. */
type Called = Head & { readonly lines: (series: FunctionSeries, metrics: FunctionMetrics) => string };

type Family = Kept | Called;

const label = (series: FunctionSeries): string => `function_name="${series.label}"`;

const single = (name: string, value: (series: FunctionSeries) => number): Write<FunctionSeries> => {
  const head = `${name}{function_name="`;
  return (series) => `${head}${series.label}"} ${value(series)}\n`;
};

const totals: Called['lines'] = (series, metrics) => {
  let lines = '';
  for (const [code, row] of series.rowByCode) {
    lines += `gateway_function_invocation_total{${label(series)},code="${code}"} ${metrics.row(row, countColumn)}\n`;
  }
  return lines;
};

const seconds: Called['lines'] = (series, metrics) => {
  let lines = '';
  for (const [code, row] of series.rowByCode) {
    const labels = `${label(series)},code="${code}"`;
    let below = 0;
    for (const [column, bound] of secondsBuckets.entries()) {
      below += metrics.row(row, column);
      lines += `gateway_functions_seconds_bucket{${labels},le="${bound}"} ${below}\n`;
    }
    const count = metrics.row(row, countColumn);
    lines += `gateway_functions_seconds_bucket{${labels},le="+Inf"} ${count}\n`;
    lines += `gateway_functions_seconds_sum{${labels}} ${metrics.row(row, sumColumn)}\n`;
    lines += `gateway_functions_seconds_count{${labels}} ${count}\n`;
  }
  return lines;
};

const refusals: Called['lines'] = (series) => {
  let lines = '';
  for (const [reason, count] of series.refusals ?? []) {
    lines += `gateway_function_refused_total{${label(series)},reason="${escapeLabel(reason)}"} ${count}\n`;
  }
  return lines;
};

const cuts: Called['lines'] = (series) => {
  const line = (replica: string, count: number): string =>
    count === 0 ? '' : `gateway_function_cut_total{${label(series)},replica="${replica}"} ${count}\n`;
  return line('ending', series.cutEnding) + line('running', series.cutRunning);
};

const coldSeconds: Called['lines'] = (series) => {
  const { waits } = series;
  if (waits === undefined || waits.coldStarts === 0) return '';
  let lines = '';
  for (const [index, phase] of coldPhases.entries()) {
    const labels = `${label(series)},phase="${phase}"`;
    lines += `gateway_function_cold_start_seconds_sum{${labels}} ${waits.coldSeconds[index]}\n`;
    lines += `gateway_function_cold_start_seconds_count{${labels}} ${waits.coldStarts}\n`;
  }
  return lines;
};

const queueSeconds: Called['lines'] = (series) => {
  let lines = '';
  for (const line of callLines) {
    const [seconds, calls] = series.waits?.queue[line] ?? [0, 0];
    if (calls === 0) continue;
    const labels = `${label(series)},line="${line}"`;
    lines += `gateway_function_queue_seconds_sum{${labels}} ${seconds}\n`;
    lines += `gateway_function_queue_seconds_count{${labels}} ${calls}\n`;
  }
  return lines;
};

const failing: Write<FunctionSeries> = (series) =>
  series.failing === '' ? '' : `gateway_function_failing{${label(series)},reason="${escapeLabel(series.failing)}"} 1\n`;

const scalings: Write<FunctionSeries> = (series) => {
  let lines = '';
  for (const [cause, count] of series.scalings ?? []) {
    lines += `gateway_function_scalings_total{${label(series)},cause="${cause}"} ${count}\n`;
  }
  return lines;
};

const targetLoad: Write<FunctionSeries> = (series) =>
  series.target === ''
    ? ''
    : `gateway_service_target_load{${label(series)},scaling_type="${escapeLabel(series.scalingType)}"} ${series.target}\n`;

const families: readonly Family[] = [
  { name: 'gateway_function_invocation_total', type: 'counter', help: 'Finished calls of a function by status.', lines: totals },
  { name: 'gateway_functions_seconds', type: 'histogram', help: 'Duration of calls of a function by status.', lines: seconds },
  {
    name: 'gateway_function_invocation_started',
    about: 'counts',
    type: 'counter',
    help: 'Calls of a function that were begun.',
    lines: single('gateway_function_invocation_started', (series) => series.begun),
  },
  {
    name: 'gateway_function_invocation_inflight',
    type: 'gauge',
    help: 'Calls of a function that are running.',
    lines: single('gateway_function_invocation_inflight', (series) => series.inFlight),
  },
  {
    name: 'gateway_service_count',
    about: 'reports',
    type: 'gauge',
    help: 'Desired replicas of a function.',
    lines: single('gateway_service_count', (series) => series.desired),
  },
  {
    name: 'gateway_service_ready_count',
    about: 'reports',
    type: 'gauge',
    help: 'Replicas of a function that answer.',
    lines: single('gateway_service_ready_count', (series) => series.ready.length),
  },
  {
    name: 'gateway_service_min',
    about: 'reports',
    type: 'gauge',
    help: 'Fewest replicas that scaling may leave a function.',
    lines: single('gateway_service_min', (series) => series.min),
  },
  {
    name: 'gateway_service_max',
    about: 'reports',
    type: 'gauge',
    help: 'Most replicas that scaling may give a function.',
    lines: single('gateway_service_max', (series) => series.max),
  },
  {
    name: 'gateway_service_target_load',
    about: 'reports',
    type: 'gauge',
    help: 'Load that one replica should carry.',
    lines: targetLoad,
  },
  {
    name: 'gateway_function_cold_starts_total',
    about: 'counts',
    type: 'counter',
    help: 'Calls that waited for a first replica.',
    lines: single('gateway_function_cold_starts_total', (series) => series.waits?.coldStarts ?? 0),
  },
  {
    name: 'gateway_function_cold_start_seconds',
    type: 'summary',
    help: 'Time that calls of a function lost because it had no replica, by phase.',
    lines: coldSeconds,
  },
  {
    name: 'gateway_function_refused_total',
    type: 'counter',
    help: 'Calls that were refused without reaching a replica, by reason.',
    lines: refusals,
  },
  {
    name: 'gateway_function_cut_total',
    type: 'counter',
    help: 'Calls that their replica did not finish, because it was ending or while it ran.',
    lines: cuts,
  },
  {
    name: 'gateway_function_queue_length',
    type: 'gauge',
    help: 'Calls that wait for a place under the limits of their function.',
    lines: single('gateway_function_queue_length', (series) => series.inLine),
  },
  {
    name: 'gateway_function_waiting',
    type: 'gauge',
    help: 'Calls that wait for a first replica of their function.',
    lines: single('gateway_function_waiting', (series) => series.held),
  },
  {
    name: 'gateway_function_queue_seconds',
    type: 'summary',
    help: 'Time that calls of a function stood in line, for a replica or for a place under its limits.',
    lines: queueSeconds,
  },
  {
    name: 'gateway_function_failing',
    about: 'reports',
    type: 'gauge',
    help: 'Is 1 while no replica of a function answers, with the reason.',
    lines: failing,
  },
  {
    name: 'gateway_function_scalings_total',
    about: 'reports',
    type: 'counter',
    help: 'Orders to change the number of replicas of a function, by cause.',
    lines: scalings,
  },
];

/**
 * Every family with its functions, then what is counted over all of them; one piece per family head, per page of functions
 * and per function that was called and has something to say.
 */
export function* functionText(metrics: FunctionMetrics): Generator<string | Buffer, void> {
  const pages = metrics.pages();
  const called = metrics.called();
  for (const family of families) {
    yield `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n`;
    if ('about' in family) {
      for (const page of pages) yield page.text(family.about, family.lines);
      continue;
    }
    for (const series of called) {
      const lines = series.removed ? '' : family.lines(series, metrics);
      if (lines !== '') yield lines;
    }
  }
  yield* metrics.all.text();
}
