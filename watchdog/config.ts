// Settings of the watchdog: of-watchdog's environment variables and a few of our own, read once and checked together.
import { parseDuration } from '../provider/types/duration.ts';
import { StartError } from './start-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Mode = 'inproc' | 'http' | 'streaming' | 'serializing' | 'static';
export type HandlerStyle = 'event' | 'web' | 'auto';

export type Config = {
  readonly mode: Mode;
  /** The command and its arguments; empty where the mode needs none. */
  readonly fprocess: readonly string[];
  readonly handler: string;
  readonly handlerStyle: HandlerStyle;
  readonly upstreamUrl: string | undefined;
  readonly port: number;
  readonly metricsPort: number;
  /** 0 is no limit, for every limit below. */
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly execTimeoutMs: number;
  readonly healthcheckIntervalMs: number;
  readonly readyTimeoutMs: number;
  readonly contentType: string;
  readonly staticPath: string;
  readonly maxInflight: number;
  readonly readyPath: string;
  readonly suppressLock: boolean;
  readonly prefixLogs: boolean;
  /** Longest log line in bytes; longer ones are split. 0 or less: never. */
  readonly logBufferBytes: number;
  readonly logCallId: boolean;
  readonly accessLog: boolean;
  readonly bufferBody: boolean;
  readonly temporaryDir: string;
};

/** How the process was started; it decides some defaults. */
export type Start = 'standalone' | 'blank';

const modes: readonly string[] = ['inproc', 'http', 'streaming', 'serializing', 'static'] satisfies Mode[];
const trueWords: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falseWords: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

type Reader = {
  text(name: string, fallback: string): string;
  duration(name: string, fallbackMs: number): number;
  integer(name: string, fallback: number, max?: number): number;
  flag(name: string, fallback: boolean): boolean;
  readonly problems: string[];
};

const createReader = (env: Environment): Reader => {
  const problems: string[] = [];
  const read = <T>(name: string, fallback: T, expected: string, parse: (text: string) => T | undefined): T => {
    const text = env[name];
    if (text === undefined || text === '') return fallback;
    const value = parse(text);
    if (value !== undefined) return value;
    problems.push(`${name}: expected ${expected}, got ${JSON.stringify(text)}`);
    return fallback;
  };
  const notNegative = (ms: number | undefined): number | undefined => (ms !== undefined && ms >= 0 ? ms : undefined);
  return {
    problems,
    text: (name, fallback) => env[name] || fallback,
    duration: (name, fallbackMs) =>
      read(name, fallbackMs, 'seconds or a duration such as 1m30s', (text) => notNegative(parseDuration(text))),
    integer: (name, fallback, max = Number.MAX_SAFE_INTEGER) =>
      read(name, fallback, 'a whole number', (text) => {
        const value = /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
        return value !== undefined && value <= max ? value : undefined;
      }),
    flag: (name, fallback) =>
      read(name, fallback, 'true or false', (text) => (trueWords.has(text) ? true : falseWords.has(text) ? false : undefined)),
  };
};

const readMode = (env: Environment, start: Start): Mode => {
  const mode = env.mode || 'streaming';
  if (modes.includes(mode)) return mode as Mode;
  const exitCode = start === 'standalone' ? 2 : 1;
  throw new StartError('Invalid', `mode: expected ${modes.join(', ')}, got ${JSON.stringify(mode)}`, { exitCode });
};

const readStyle = (env: Environment, problems: string[]): HandlerStyle => {
  const style = env.handler_style || 'auto';
  if (style === 'event' || style === 'web' || style === 'auto') return style;
  problems.push(`handler_style: expected event, web or auto, got ${JSON.stringify(style)}`);
  return 'auto';
};

/** Settings that only make sense together. */
const crossChecks = (config: Config, env: Environment, start: Start): string[] => {
  const problems: string[] = [];
  if (config.fprocess.length === 0 && config.mode !== 'static' && config.mode !== 'inproc') {
    problems.push(`fprocess: expected the command to run in mode ${config.mode}, got nothing`);
  }
  if (config.writeTimeoutMs === 0 && start === 'standalone') problems.push('write_timeout: expected more than 0, got 0');
  if (config.upstreamUrl !== undefined && (!URL.canParse(config.upstreamUrl) || !/^http:\/\//i.test(config.upstreamUrl))) {
    problems.push(`upstream_url: expected a URL such as http://127.0.0.1:3000, got ${JSON.stringify(config.upstreamUrl)}`);
  }
  if (trueWords.has(env.jwt_auth ?? '')) {
    problems.push('jwt_auth: expected false, got true: this watchdog does not authenticate calls, the gateway does');
  }
  return problems;
};

/** @throws StartError (`Invalid`) naming every bad value at once */
export const readConfig = (env: Environment, start: Start): Config => {
  const read = createReader(env);
  const standalone = start === 'standalone';
  const command = env.function_process || env.fprocess || '';
  const mode = readMode(env, start);
  const writeTimeoutMs = read.duration('write_timeout', standalone ? 30_000 : 0);
  const config: Config = {
    mode,
    fprocess: command === '' ? [] : command.split(' '),
    handler: read.text('handler', 'function/handler.js'),
    handlerStyle: readStyle(env, read.problems),
    upstreamUrl: env.http_upstream_url || env.upstream_url || undefined,
    port: read.integer('port', 8080, 65_535),
    metricsPort: read.integer('metrics_port', 8081, 65_535),
    readTimeoutMs: read.duration('read_timeout', standalone ? 30_000 : 0),
    writeTimeoutMs,
    execTimeoutMs: read.duration('exec_timeout', standalone ? 30_000 : 0),
    healthcheckIntervalMs: read.duration('healthcheck_interval', standalone ? writeTimeoutMs : 0),
    readyTimeoutMs: read.duration('ready_timeout', 30_000),
    contentType: read.text('content_type', 'application/octet-stream'),
    staticPath: read.text('static_path', '/home/app/public'),
    maxInflight: Math.max(0, read.integer('max_inflight', 0)),
    readyPath: read.text('ready_path', ''),
    suppressLock: read.flag('suppress_lock', false),
    prefixLogs: read.flag('prefix_logs', standalone),
    logBufferBytes: read.integer('log_buffer_size', 65_536),
    logCallId: read.flag('log_callid', false),
    accessLog: read.flag('access_log', standalone),
    bufferBody: read.flag('buffer_http', false) || read.flag('http_buffer_req_body', false),
    temporaryDir: read.text('TMPDIR', '/tmp'),
  };
  const problems = [...read.problems, ...crossChecks(config, env, start)];
  if (problems.length > 0) throw new StartError('Invalid', problems.join('; '));
  return config;
};
