// What every expression of the dashboards has to return after known-load.ts, by file, panel and query.

/** Values by their labels. */
export type Answers = Readonly<Record<string, number>>;

export type Check = {
  /** What the variable $function stands for; busy unless told. */
  readonly of?: string;
  /** What is wrong, or undefined. */
  readonly judge: (answers: Answers) => string | undefined;
};

/** A number, but for its last digits, or a range where time is the subject. */
type Wanted = number | readonly [least: number, most: number];

const fits = (value: number, wanted: Wanted): boolean =>
  typeof wanted === 'number' ? Math.abs(value - wanted) <= Math.abs(wanted) * 1e-6 : value >= wanted[0] && value <= wanted[1];

const rows = (wanted: Readonly<Record<string, Wanted>>, of?: string): Check => ({
  ...(of === undefined ? {} : { of }),
  judge(answers) {
    const [here, there] = [Object.keys(answers).sort(), Object.keys(wanted).sort()];
    if (here.join() !== there.join()) return `expected rows ${there.join(', ')}`;
    const off = there.filter((key) => !fits(answers[key] ?? Number.NaN, wanted[key] ?? 0));
    return off.length === 0 ? undefined : `expected ${off.map((key) => `${key} ${JSON.stringify(wanted[key])}`).join(', ')}`;
  },
});

const one = (wanted: Wanted, of?: string): Check => rows({ '': wanted }, of);

const phases = ['wait', 'schedule', 'boot', 'load', 'first_answer'];

/** Some of the phases: those that took no time at all are left out. */
const somePhases = (of?: string): Check => ({
  ...(of === undefined ? {} : { of }),
  judge(answers) {
    const strange = Object.keys(answers).filter((key) => !phases.includes(key));
    const sum = Object.values(answers).reduce((total, each) => total + each, 0);
    if (strange.length > 0) return `unknown phases ${strange.join()}`;
    return 'load' in answers && sum > 0 && sum < 60 ? undefined : 'expected load, and a sum of some seconds at most';
  },
});

const some = (least: number, most: number): Check => ({
  judge: (answers) => {
    const values = Object.values(answers);
    const good = values.length > 0 && values.every((value) => value > least && value < most);
    return good ? undefined : `expected values between ${least} and ${most}`;
  },
});

/** None is fine, too: there may have been nothing to collect. */
const below = (most: number): Check => ({
  judge: (answers) => (Object.values(answers).every((value) => value < most) ? undefined : `expected values below ${most}`),
});

/** Every one of a window whose rest nobody counts. */
const among = (wanted: Readonly<Record<string, Wanted>>): Check => ({
  judge(answers) {
    const off = Object.keys(wanted).filter((key) => !fits(answers[key] ?? Number.NaN, wanted[key] ?? 0));
    return off.length === 0 ? undefined : `expected ${off.map((key) => `${key} ${JSON.stringify(wanted[key])}`).join(', ')}`;
  },
});

/** Three of busy, one of each other function that is awake and starts, the sample function hello among them. */
export const readyReplicas = 8;

/** @param seconds length of the window that holds the load */
export const expectations = (seconds: number): Readonly<Record<string, Check>> => {
  const rate = (count: number): number => count / seconds;
  const replicas = { broken: 1, busy: 3, gated: 1, hello: 1, looping: 1, narrow: 1, open: 1, sleepy: 1 };
  const ready = { broken: 1, busy: 3, hello: 1, narrow: 1, open: 1, sleepy: 1 };
  const finished = { broken: 4, busy: 10, narrow: 4, sleepy: 1 };
  const ofAll = 4 + 10 + 4 + 1;
  const rates = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, rate(count)]));
  const mib = 1024 ** 2;
  return {
    'overview.json: Functions: A': one(9),
    'overview.json: At zero: A': one(1),
    'overview.json: Ready replicas: A': one(readyReplicas),
    'overview.json: Calls a second: A': one(rate(ofAll)),
    'overview.json: Failing share: A': one(4 / ofAll),
    'overview.json: Running calls: A': one(2),
    'overview.json: Calls: A': rows(rates(finished)),
    'overview.json: Failures: A': rows({ '500 broken': rate(4) }),
    // Waited for, a call of narrow takes twice as long; refused, no time.
    'overview.json: Duration, mean: A': rows({ broken: [0, 1], busy: [1.2, 2.5], narrow: [0.4, 2], sleepy: [0, 5] }),
    // Ten calls in the bucket from 1 to 2.5 seconds.
    'overview.json: Duration, slowest hundredth: A': rows({ broken: [0, 1], busy: 2.485, narrow: [1, 2.5], sleepy: [0, 5] }),
    'overview.json: Replicas: A': rows(replicas),
    'overview.json: Refused calls: A': rows({ 'narrow MaxInflight': rate(2) }),
    'overview.json: All functions: A': rows({ broken: 5, busy: 11, narrow: 7, sleepy: 2 }),
    'overview.json: All functions: B': rows({ broken: 5 }),
    'overview.json: All functions: C': rows(replicas),
    'overview.json: All functions: D': rows(ready),
    'overview.json: All functions: E': rows({ sleepy: 2 }),
    'overview.json: Failing now: A': rows({ 'looping LoadFailed': 1 }),

    'function.json: Calls in all: A': one(10),
    'function.json: Failures in all: A': one(4, 'broken'),
    'function.json: Running calls: A': one(1, 'open'),
    'function.json: Wanted replicas: A': one(3),
    'function.json: Ready replicas: A': one(3),
    'function.json: Cold starts in all: A': one(1, 'sleepy'),
    'function.json: Calls: A': rows({ 200: rate(2), 429: rate(2) }, 'narrow'),
    'function.json: Begun and finished: A': one(rate(10)),
    'function.json: Begun and finished: B': one(rate(10)),
    'function.json: Duration: A': one(1.75),
    'function.json: Duration: B': one(2.35),
    'function.json: Duration: C': one(2.485),
    'function.json: Duration, mean: A': rows({ 200: [1.2, 2.5] }),
    'function.json: Replicas: A': one(3),
    'function.json: Replicas: B': one(3),
    'function.json: Replicas: C': one(1),
    'function.json: Replicas: D': one(3),
    'function.json: Calls at once: A': one(1, 'gated'),
    'function.json: Calls at once: B': one(0, 'narrow'),
    'function.json: Calls at once: C': one(1, 'gated'),
    'function.json: Time in line: A': rows({ limits: [0.3, 2] }, 'narrow'),
    'function.json: Refused calls: A': rows({ MaxInflight: rate(2) }, 'narrow'),
    'function.json: Cold starts by phase: A': somePhases('sleepy'),
    'function.json: Orders to scale: A': rows({ api: 60 * rate(1), call: 60 * rate(1) }, 'sleepy'),

    'scaling.json: At zero: A': one(1),
    'scaling.json: At their maximum: A': one(1),
    'scaling.json: Starting: A': one(2),
    'scaling.json: Waiting calls: A': one(1),
    'scaling.json: Cold starts in all: A': one(1),
    'scaling.json: Cold share: A': one(1 / ofAll),
    'scaling.json: Wanted replicas: A': rows(replicas),
    'scaling.json: Ready replicas: A': rows(ready),
    'scaling.json: Orders to scale: A': rows({ api: 60 * rate(1), call: 60 * rate(1) }),
    'scaling.json: Load that a replica should carry: A': rows({ 'sleepy rps': 10 }),
    'scaling.json: Cold starts: A': rows({ sleepy: rate(1) }),
    'scaling.json: Cold starts by phase, mean: A': somePhases(),
    'scaling.json: Cold starts by phase, slowest tenth: A': somePhases(),
    'scaling.json: Time in line, slowest tenth: A': rows({ limits: [0.25, 2.5], replica: [0, 10] }),

    'gateway.json: Gateways: A': one(1),
    'gateway.json: Up for: A': some(seconds, 3600),
    'gateway.json: Table is old by: A': one(0),
    'gateway.json: Event loop, p99: A': some(0, 2),
    'gateway.json: Open files, share: A': some(0, 0.5),
    'gateway.json: Firing alerts: A': one(0),
    'gateway.json: Event loop: A': some(0, 2),
    'gateway.json: Event loop: B': some(0, 2),
    'gateway.json: CPU: A': some(0, 4),
    'gateway.json: Memory: A': some(30 * mib, 1024 * mib),
    'gateway.json: Memory: B': some(4 * mib, 1024 * mib),
    'gateway.json: Garbage collection: A': below(1),
    'gateway.json: Open files: A': some(10, 1000),
    'gateway.json: Age of the table: A': one(0),
    'gateway.json: Control API: A': among({ 'GET /system/info 200': rate(3), 'POST /system/scale-function 202': rate(1) }),
    'gateway.json: Control API, slowest hundredth: A': some(0, 5),
    'gateway.json: Scrapes: A': some(0, 1),
    'gateway.json: Series: A': some(100, 2000),
    'gateway.json: Versions: A': some(0, 2),
    'gateway.json: Versions: B': some(0, 2),
  };
};

/** The panels of the dashboard that OpenFaaS publishes: its expressions, with what they have to return. */
export const openfaasExpressions = (seconds: number): Readonly<Record<string, Check>> => {
  const rate = (count: number): number => count / seconds;
  return {
    // Function rate.
    'rate(gateway_function_invocation_total[20s])': rows({
      '500 broken': rate(4),
      '200 busy': rate(10),
      '200 narrow': rate(2),
      '429 narrow': rate(2),
      '200 sleepy': rate(1),
    }),
    // Replica scaling.
    gateway_service_count: rows({ broken: 1, busy: 3, gated: 1, hello: 1, looping: 1, narrow: 1, open: 1, sleepy: 1 }),
    // Total requests.
    'scalar(sum(gateway_function_invocation_total{code="200"}))': one(11 + 4 + 2),
    // Execution duration.
    'rate(gateway_functions_seconds_sum[20s]) / rate(gateway_functions_seconds_count[20s])': rows({
      '500 broken': [0, 1],
      '200 busy': [1.2, 2.5],
      '200 narrow': [0.6, 2.5],
      '429 narrow': [0, 1],
      '200 sleepy': [0, 5],
    }),
  };
};
