// Every label and annotation that Sluice reads from a function: one table for validation, docs and `describe`.
// Keys under com.openfaas. are OpenFaaS's and keep their meaning; what only Sluice has is under sluice.dev/.
import { parseDuration } from './duration.ts';
import { joinFirst, shortened, shown } from './validate.ts';

export type SettingKind = 'string' | 'count' | 'percent' | 'duration' | 'seconds' | 'boolean' | 'proportion';

export type Setting = {
  readonly key: string;
  readonly on: 'label' | 'annotation';
  readonly kind: SettingKind;
  readonly default: string;
  readonly doc: string;
};

const probeNumber = (prefix: string, name: string, preset: string, doc: string): Setting => ({
  key: `com.openfaas.${prefix}.http.${name}`,
  on: 'annotation',
  kind: name.includes('Threshold') ? 'count' : 'seconds',
  default: preset,
  doc,
});

/** @param prefix `health` or `ready` @param what the end of the sentences */
const probeNumbers = (prefix: string, what: string): readonly Setting[] => [
  probeNumber(prefix, 'initialDelaySeconds', '2', `wait before the first question for ${what}`),
  probeNumber(prefix, 'initialDelay', '2s', 'an older name of the one above, which wins'),
  probeNumber(prefix, 'periodSeconds', '2', `time from one question for ${what} to the next`),
  probeNumber(prefix, 'timeoutSeconds', '1', `longest wait for an answer about ${what}`),
  probeNumber(prefix, 'failureThreshold', '3', `failures in a row that end ${what}`),
];

export const settings: readonly Setting[] = [
  { key: 'com.openfaas.scale.min', on: 'label', kind: 'count', default: '1', doc: 'replicas that always run' },
  { key: 'com.openfaas.scale.max', on: 'label', kind: 'count', default: '20', doc: 'replicas that alerts and load may reach' },
  {
    key: 'com.openfaas.scale.factor',
    on: 'label',
    kind: 'percent',
    default: '10',
    doc: 'replicas added per firing alert, in percent of the maximum; 0 turns alert scaling off',
  },
  {
    key: 'com.openfaas.scale.type',
    on: 'label',
    kind: 'string',
    default: 'rps',
    doc: 'what load is measured in: rps, capacity, cpu or queue',
  },
  { key: 'com.openfaas.scale.target', on: 'label', kind: 'count', default: '50', doc: 'load that one replica should carry' },
  {
    key: 'com.openfaas.scale.target-proportion',
    on: 'label',
    kind: 'proportion',
    default: '0.90',
    doc: 'share of the target at which replicas are added',
  },
  { key: 'com.openfaas.scale.zero', on: 'label', kind: 'boolean', default: 'false', doc: 'scale to zero when idle' },
  {
    key: 'com.openfaas.scale.zero-duration',
    on: 'label',
    kind: 'duration',
    default: "the gateway's zero-duration",
    doc: 'how long without calls is idle',
  },
  {
    key: 'com.openfaas.scale.down.window',
    on: 'label',
    kind: 'duration',
    default: '0s',
    doc: 'never scale below the highest recommendation of this window',
  },
  {
    key: 'topic',
    on: 'annotation',
    kind: 'string',
    default: '',
    doc: 'event topics that call the function, separated by commas',
  },
  { key: 'schedule', on: 'annotation', kind: 'string', default: '', doc: 'cron schedule for the topic cron-function' },
  { key: 'com.openfaas.queue', on: 'annotation', kind: 'string', default: '', doc: 'queue for asynchronous calls' },
  {
    key: 'com.openfaas.profile',
    on: 'annotation',
    kind: 'string',
    default: '',
    doc: 'profiles applied to the pods, separated by commas',
  },
  {
    key: 'com.openfaas.serviceaccount',
    on: 'annotation',
    kind: 'string',
    default: '',
    doc: 'service account of the pods',
  },
  { key: 'com.openfaas.health.http.path', on: 'annotation', kind: 'string', default: '/_/health', doc: 'liveness path' },
  ...probeNumbers('health', 'liveness'),
  { key: 'com.openfaas.ready.http.path', on: 'annotation', kind: 'string', default: 'the liveness path', doc: 'readiness path' },
  ...probeNumbers('ready', 'readiness'),
  probeNumber('ready', 'successThreshold', '1', 'answers in a row that begin readiness'),
  {
    key: 'sluice.dev/timeout',
    on: 'annotation',
    kind: 'duration',
    default: "the gateway's upstream_timeout",
    doc: 'longest time for one call; every hop derives its own limit from it; 0 for no limit, but on Kubernetes write_timeout, as the image has it, still holds',
  },
  {
    key: 'sluice.dev/idle-timeout',
    on: 'annotation',
    kind: 'duration',
    default: "the gateway's idle-timeout",
    doc: 'longest silence of a stream or WebSocket, in both directions; 0 for no limit',
  },
  {
    key: 'sluice.dev/max-inflight',
    on: 'annotation',
    kind: 'count',
    default: "the gateway's max-inflight",
    doc: 'calls that one gateway lets run at once; 0 for no limit',
  },
  {
    key: 'sluice.dev/max-inflight-per-replica',
    on: 'annotation',
    kind: 'count',
    default: "the gateway's max-inflight-per-replica",
    doc: 'calls that one gateway lets run at once in one replica; 0 for no limit',
  },
  {
    key: 'sluice.dev/max-queue',
    on: 'annotation',
    kind: 'count',
    default: "the gateway's max-queue",
    doc: 'calls that wait in one gateway for a place under the two limits above; more are refused; 0 lets none wait',
  },
  {
    key: 'sluice.dev/max-queue-wait',
    on: 'annotation',
    kind: 'duration',
    default: "the gateway's max-queue-wait",
    doc: 'longest wait for such a place; 0 for no limit',
  },
];

const expectation: Readonly<Record<SettingKind, string>> = {
  string: 'expected a text',
  count: 'expected a whole number of 0 or more',
  percent: 'expected a whole number from 0 to 100',
  duration: 'expected a duration such as 90s or 15m',
  seconds: 'expected a whole number of seconds such as 5 or 5s',
  boolean: 'expected true or false',
  proportion: 'expected a number above 0 and up to 1',
};

/** Whole seconds, written as a number or as a duration. */
export const parseSeconds = (text: string): number | undefined => {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : (parseDuration(text) ?? Number.NaN) / 1000;
  return Number.isInteger(seconds) && seconds >= 0 ? seconds : undefined;
};

const isValid = (kind: SettingKind, text: string): boolean => {
  switch (kind) {
    case 'string':
      return true;
    case 'count':
      return /^\d{1,9}$/.test(text);
    case 'percent':
      return /^\d{1,3}$/.test(text) && Number(text) <= 100;
    case 'duration':
      return (parseDuration(text) ?? -1) >= 0;
    case 'seconds':
      return parseSeconds(text) !== undefined;
    case 'boolean':
      return text === 'true' || text === 'false';
    case 'proportion':
      return /^(0?\.\d+|1(\.0+)?)$/.test(text) && Number(text) > 0;
  }
};

const ownPrefix = 'sluice.dev/';

/** Levenshtein distance, for suggestions. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** The known word closest to `text`, when it is close enough to be a slip of the finger. */
export const suggest = (text: string, known: readonly string[]): string | undefined => {
  // No slip of the finger makes a word this long, and the comparison would take its time.
  if (text.length > 200) return undefined;
  const ranked = known.map((word) => ({ word, away: distance(text, word) })).sort((a, b) => a.away - b.away);
  const best = ranked[0];
  return best !== undefined && best.away <= Math.max(2, Math.floor(text.length / 4)) ? best.word : undefined;
};

const unknownOwn = (on: 'label' | 'annotation', key: string): string => {
  const known = settings.filter((setting) => setting.key.startsWith(ownPrefix));
  const elsewhere = known.find((setting) => setting.key === key);
  if (elsewhere !== undefined) return `${on}s.${key}: expected as ${elsewhere.on}, got it as ${on}`;
  const close = suggest(
    key,
    known.map((setting) => setting.key),
  );
  const hint = close === undefined ? `known are ${known.map((setting) => setting.key).join(', ')}` : `did you mean ${close}?`;
  return `${on}s.${shortened(key)}: unknown key under ${ownPrefix}; ${hint}`;
};

const isProblem = (on: 'label' | 'annotation', key: string, value: string): boolean => {
  const setting = settings.find((each) => each.key === key && each.on === on);
  return setting === undefined ? key.startsWith(ownPrefix) : !isValid(setting.kind, value);
};

const describeProblem = (on: 'label' | 'annotation', key: string, value: string): string => {
  const setting = settings.find((each) => each.key === key && each.on === on);
  if (setting === undefined) return unknownOwn(on, key);
  return `${on}s.${key}: ${expectation[setting.kind]}, got ${shown(value)}`;
};

/** What is wrong with a function's labels or annotations, empty when nothing is; keys of others are theirs and always fine. */
export const settingProblems = (on: 'label' | 'annotation', values: Readonly<Record<string, string>>): string =>
  joinFirst(
    Object.entries(values).filter(([key, value]) => isProblem(on, key, value)),
    ([key, value]) => describeProblem(on, key, value),
  );

type Annotations = Readonly<Record<string, string>> | undefined;

/** Milliseconds of an annotation that is a duration; `undefined` when the function does not have it. */
export const durationAnnotation = (annotations: Annotations, key: string): number | undefined => {
  const text = annotations?.[key];
  return text === undefined || !isValid('duration', text) ? undefined : parseDuration(text);
};

/** An annotation that is a count; `undefined` when the function does not have it. */
export const countAnnotation = (annotations: Annotations, key: string): number | undefined => {
  const text = annotations?.[key];
  return text === undefined || !isValid('count', text) ? undefined : Number(text);
};

/** Milliseconds of `sluice.dev/timeout`; `undefined` when the function has none of its own. */
export const functionTimeoutMs = (annotations: Annotations): number | undefined =>
  durationAnnotation(annotations, 'sluice.dev/timeout');
