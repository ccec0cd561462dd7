// Every setting of the gateway in one table: name, flag, environment variables, default, parser, meaning.
// `config.ts` reads it, `sluice gateway --help` and docs/configuration.md are printed from it.
import { defaultMaxBundleBytes } from '../provider/types/bundle.ts';
import { longestTimerMs, parseDuration } from '../provider/types/duration.ts';
import { defaultNamespace, isLabelName, labelNameRule } from '../provider/types/name.ts';
import { parseQuantity } from '../provider/types/quantity.ts';

/** The value of a text, or what was expected instead. */
export type Parsed<Value> = { readonly value: Value } | { readonly expected: string };

export type Setting<Value> = {
  /** On the command line, without the dashes. */
  readonly flag: string;
  /** First found wins; ours come before OpenFaaS's. */
  readonly env: readonly string[];
  /** As a user would write it; empty stands for none. */
  readonly default: string;
  readonly parse: (text: string) => Parsed<Value>;
  readonly doc: string;
};

const text = (value: string): Parsed<string> => ({ value });

const nonEmpty =
  (what: string) =>
  (value: string): Parsed<string> =>
    value.trim() === '' ? { expected: what } : { value };

const wholeNumber =
  (what: string, least: number, most: number) =>
  (value: string): Parsed<number> =>
    /^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most ? { value: Number(value) } : { expected: what };

const port = wholeNumber('a port from 0 to 65535', 0, 65_535);

const duration =
  (least: number, what: string) =>
  (value: string): Parsed<number> => {
    const ms = parseDuration(value);
    return ms !== undefined && ms >= least && ms <= longestTimerMs ? { value: ms } : { expected: what };
  };

const timeout = duration(1, 'a duration above 0 such as 60, 60s or 1m5s, at most 24 days');

const bytes = (value: string): Parsed<number> => {
  const amount = parseQuantity(value);
  return amount !== undefined && amount >= 1 && Number.isSafeInteger(amount)
    ? { value: amount }
    : { expected: 'a number of bytes such as 1048576 or 512Mi' };
};

const oneOf =
  <Word extends string>(...words: readonly Word[]) =>
  (value: string): Parsed<Word> => {
    const word = words.find((each) => each === value);
    return word === undefined ? { expected: `one of ${words.join(', ')}` } : { value: word };
  };

const trueOrFalse = (value: string): Parsed<boolean> =>
  value === 'true' || value === 'false' ? { value: value === 'true' } : { expected: 'true or false' };

const accessLog = (value: string): Parsed<number | 'errors'> => {
  if (value === 'errors') return { value };
  if (value === 'off') return { value: 0 };
  if (value === 'all') return { value: 1 };
  const share = Number(value);
  return /^[\d.]+$/.test(value) && share >= 0 && share <= 1
    ? { value: share }
    : { expected: 'off, all, errors or a share of the calls such as 0.01' };
};

const namespace = (value: string): Parsed<string> => (isLabelName(value) ? { value } : { expected: labelNameRule });

export const gatewaySettings = {
  host: {
    flag: 'host',
    env: ['SLUICE_HOST'],
    default: '127.0.0.1',
    parse: nonEmpty('an address to listen on'),
    doc: 'address to listen on; 0.0.0.0 for every interface',
  },
  port: { flag: 'port', env: ['SLUICE_PORT'], default: '8080', parse: port, doc: 'port of functions and control API; 0 for any' },
  metricsPort: {
    flag: 'metrics-port',
    env: ['SLUICE_METRICS_PORT'],
    default: '8082',
    parse: port,
    doc: 'port of /metrics; 0 for any',
  },
  dataDir: {
    flag: 'data-dir',
    env: ['SLUICE_DATA_DIR'],
    default: '~/.sluice',
    parse: nonEmpty('a directory'),
    doc: 'where functions, secrets, namespaces and credentials are kept; one gateway at a time',
  },
  provider: {
    flag: 'provider',
    env: ['SLUICE_PROVIDER'],
    default: 'process',
    parse: oneOf('process', 'kubernetes'),
    doc: 'where functions run: process (this machine) or kubernetes (a cluster)',
  },
  kubeconfig: {
    flag: 'kubeconfig',
    env: ['SLUICE_KUBECONFIG', 'KUBECONFIG'],
    default: '',
    parse: text,
    doc: "kubernetes: file that names the cluster; without it the pod's service account, then `~/.kube/config`",
  },
  imagePullPolicy: {
    flag: 'image-pull-policy',
    env: ['SLUICE_IMAGE_PULL_POLICY', 'image_pull_policy'],
    default: 'Always',
    parse: oneOf('Always', 'IfNotPresent', 'Never'),
    doc: 'kubernetes: when nodes pull the images of functions: Always, IfNotPresent or Never',
  },
  httpProbe: {
    flag: 'http-probe',
    env: ['SLUICE_HTTP_PROBE', 'http_probe'],
    default: 'true',
    parse: trueOrFalse,
    doc: 'kubernetes: kubelets probe functions by HTTP; false for the lock file of the watchdog',
  },
  setNonRootUser: {
    flag: 'set-nonroot-user',
    env: ['SLUICE_SET_NONROOT_USER', 'set_nonroot_user'],
    default: 'false',
    parse: trueOrFalse,
    doc: 'kubernetes: functions run as user 12000',
  },
  profilesNamespace: {
    flag: 'profiles-namespace',
    env: ['SLUICE_PROFILES_NAMESPACE', 'profiles_namespace'],
    default: 'openfaas',
    parse: namespace,
    doc: 'kubernetes: namespace of the Profile objects that functions name',
  },
  reach: {
    flag: 'reach',
    env: ['SLUICE_REACH'],
    default: 'auto',
    parse: oneOf('auto', 'direct', 'tunnel'),
    doc: 'kubernetes: how calls get to pods: direct by their address, tunnel through the API server, or auto to find out',
  },
  functionNamespace: {
    flag: 'function-namespace',
    env: ['SLUICE_FUNCTION_NAMESPACE', 'function_namespace'],
    default: defaultNamespace,
    parse: namespace,
    doc: 'namespace of functions that are named without one',
  },
  basicAuth: {
    flag: 'basic-auth',
    env: ['SLUICE_BASIC_AUTH', 'basic_auth'],
    default: 'true',
    parse: trueOrFalse,
    doc: 'false lets everybody who reaches the port deploy and delete functions',
  },
  secretMountPath: {
    flag: 'secret-mount-path',
    env: ['SLUICE_SECRET_MOUNT_PATH', 'secret_mount_path'],
    default: '',
    parse: text,
    doc: 'directory with basic-auth-user and basic-auth-password; without it they are generated in the data directory',
  },
  readTimeoutMs: {
    flag: 'read-timeout',
    env: ['SLUICE_READ_TIMEOUT', 'read_timeout'],
    default: '60s',
    parse: timeout,
    doc: 'longest time for the head of a request, and longest silence in the body of a control request',
  },
  writeTimeoutMs: {
    flag: 'write-timeout',
    env: ['SLUICE_WRITE_TIMEOUT', 'write_timeout'],
    default: '60s',
    parse: timeout,
    doc: 'checked for the sake of OpenFaaS settings, otherwise unused: a call is limited by upstream_timeout',
  },
  upstreamTimeoutMs: {
    flag: 'upstream-timeout',
    env: ['SLUICE_UPSTREAM_TIMEOUT', 'upstream_timeout'],
    default: '60s',
    parse: timeout,
    doc: 'longest time for one call of a function that sets no sluice.dev/timeout',
  },
  idleTimeoutMs: {
    flag: 'idle-timeout',
    env: ['SLUICE_IDLE_TIMEOUT'],
    default: '0',
    parse: duration(0, 'a duration such as 5m, or 0 for no limit'),
    doc: 'longest silence of a stream or WebSocket of a function that sets no sluice.dev/idle-timeout; 0 for no limit',
  },
  maxInflight: {
    flag: 'max-inflight',
    env: ['SLUICE_MAX_INFLIGHT'],
    default: '0',
    parse: wholeNumber('a whole number, 0 for no limit', 0, 10_000_000),
    doc: 'calls that run at once in a function that sets no sluice.dev/max-inflight; 0 for no limit',
  },
  maxInflightPerReplica: {
    flag: 'max-inflight-per-replica',
    env: ['SLUICE_MAX_INFLIGHT_PER_REPLICA'],
    default: '0',
    parse: wholeNumber('a whole number, 0 for no limit', 0, 10_000_000),
    doc: 'calls that run at once in a replica of a function that sets no sluice.dev/max-inflight-per-replica; 0 for no limit',
  },
  maxQueue: {
    flag: 'max-queue',
    env: ['SLUICE_MAX_QUEUE'],
    default: '100',
    parse: wholeNumber('a whole number, 0 lets none wait', 0, 10_000_000),
    doc: 'calls of a function that wait for a place under its limits; more get 429 or 503; 0 lets none wait',
  },
  maxQueueWaitMs: {
    flag: 'max-queue-wait',
    env: ['SLUICE_MAX_QUEUE_WAIT'],
    default: '10s',
    parse: duration(0, 'a duration such as 10s, or 0 for no limit'),
    doc: 'longest wait for such a place; 0 for no limit',
  },
  drainTimeoutMs: {
    flag: 'drain-timeout',
    env: ['SLUICE_DRAIN_TIMEOUT'],
    default: '30s',
    parse: duration(0, 'a duration such as 30s'),
    doc: 'how long running calls may finish when a replica or the gateway stops',
  },
  shutdownDelayMs: {
    flag: 'shutdown-delay',
    env: ['SLUICE_SHUTDOWN_DELAY'],
    default: '0s',
    parse: duration(0, 'a duration such as 5s'),
    doc: 'how long a gateway that stops goes on taking calls, not ready any more, for load balancers to notice',
  },
  parkIdleMs: {
    flag: 'park-idle',
    env: ['SLUICE_PARK_IDLE'],
    default: '15m',
    parse: duration(0, 'a duration such as 15m, or 0 for never'),
    doc: 'functions without com.openfaas.scale.min are stopped after this time without calls; 0 for never',
  },
  zeroDurationMs: {
    flag: 'zero-duration',
    env: ['SLUICE_ZERO_DURATION'],
    default: '15m',
    parse: duration(0, 'a duration such as 15m'),
    doc: 'functions labelled com.openfaas.scale.zero that set no com.openfaas.scale.zero-duration go to zero after this time without calls',
  },
  idleCheckMs: {
    flag: 'idle-check',
    env: ['SLUICE_IDLE_CHECK'],
    default: '1s',
    parse: duration(10, 'a duration of at least 10ms such as 1s'),
    doc: 'how often functions are looked at for being idle',
  },
  maxWaitingCalls: {
    flag: 'max-waiting-calls',
    env: ['SLUICE_MAX_WAITING_CALLS'],
    default: '10000',
    parse: wholeNumber('a whole number of 1 or more', 1, 10_000_000),
    doc: 'callers of one function that wait for its first replica; more get 503',
  },
  poolSize: {
    flag: 'pool-size',
    env: ['SLUICE_POOL_SIZE'],
    default: '2',
    parse: wholeNumber('a whole number from 0 to 100', 0, 100),
    doc: 'watchdogs that stand ready for a function to start in; 0 for none',
  },
  maxBundleBytes: {
    flag: 'max-bundle-bytes',
    env: ['SLUICE_MAX_BUNDLE_BYTES'],
    default: String(defaultMaxBundleBytes),
    parse: bytes,
    doc: 'largest function bundle',
  },
  logLevel: {
    flag: 'log-level',
    env: ['SLUICE_LOG_LEVEL'],
    default: 'info',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    doc: 'least severe log line that is written; on a terminal the default is warn',
  },
  logFormat: {
    flag: 'log-format',
    env: ['SLUICE_LOG_FORMAT'],
    default: 'json',
    parse: oneOf('json', 'text'),
    doc: 'form of the log on standard error; on a terminal the default is text',
  },
  accessLog: {
    flag: 'access-log',
    env: ['SLUICE_ACCESS_LOG'],
    default: 'off',
    parse: accessLog,
    doc: 'function calls that are logged, whatever the log level: off, all, errors (refused, left or failed) or a share such as 0.01',
  },
} satisfies Readonly<Record<string, Setting<unknown>>>;
