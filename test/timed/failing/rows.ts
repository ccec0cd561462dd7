// Every way in which a function fails, and what its callers and its owner are told.
import type { FunctionDeployment } from '../../../provider/types/function.ts';
import { makeBundle, makeHandlerBundle, type TestBundle } from '../../helpers/bundle.ts';

export type Expected = {
  readonly status: number;
  /** `X-Error-Reason`; absent where the answer is not the gateway's. */
  readonly reason?: string;
  readonly body: RegExp;
  /** Whether `Retry-After` says when to come again. */
  readonly retryAfter?: boolean;
};

/** What makes the cause visible, and so starts the clock. */
export type Visible =
  /** A line of the log; the moment is `at=<ms since 1970>` in it, or else when the gateway read it. */
  | { readonly line: RegExp; readonly plusMs?: number }
  /** The limit of the call itself. */
  | { readonly callMs: number }
  /** The end of the process that printed `pid=<number>`. */
  | 'exit';

export type FailingRow = {
  readonly name: string;
  readonly bundle: () => Promise<TestBundle>;
  readonly deployment?: Partial<FunctionDeployment>;
  /** Called while the function is being loaded, or once it answers. */
  readonly called: 'loading' | 'ready';
  readonly visible: Visible;
  /** What those get who called before the cause was known. */
  readonly waiting: Expected;
  /** What those of them may get instead whose request the dead process had not read: they are sent to another replica. */
  readonly unread?: Expected;
  /** What one gets who calls afterwards, and how long that takes at least. */
  readonly next: Expected & { readonly afterMs?: number };
  /** In the conditions of the status. */
  readonly condition: {
    readonly type: 'Ready' | 'Healthy' | 'TimedOut';
    readonly status: 'True' | 'False';
    readonly reason: string;
    readonly message: RegExp;
  };
  /** In the log. */
  readonly log: RegExp;
};

const now = "'at=' + Date.now()";
/** Long enough for callers to be in line, and for the failure to stay while it is looked at. */
const slowLoad = 'await new Promise((resolve) => setTimeout(resolve, 400));\n';
const slowerLoad = 'await new Promise((resolve) => setTimeout(resolve, 1500));\n';
const ok = "export const handler = () => new Response('ok');\n";

const module = (source: string) => (): Promise<TestBundle> => makeHandlerBundle('failing', source);
const command =
  (mode: 'http' | 'streaming' | 'serializing', source: string, fprocess = 'node server.mjs') =>
  (): Promise<TestBundle> =>
    makeBundle('failing', { mode, fprocess }, { 'server.mjs': source });

const unavailable = (reason: string, body: RegExp): Expected => ({ status: 503, reason, body, retryAfter: true });
const notReady = (reason: string, message: RegExp) => ({ type: 'Ready', status: 'False', reason, message }) as const;
const timedOut = {
  type: 'TimedOut',
  status: 'True',
  reason: 'Timeout',
  message: /calls were cut at the time limit.*did not finish .*400ms/,
} as const;

const listens = (onData: string): string => `
import { createServer } from 'node:net';
createServer((socket) => socket.once('data', () => { ${onData} })).listen(process.env.SLUICE_UPSTREAM_SOCKET);
`;

const loading: readonly FailingRow[] = [
  {
    name: 'throws while it is loaded',
    bundle: module(`${slowLoad}console.log(${now});\nthrow new Error('no database here');\n${ok}`),
    called: 'loading',
    visible: { line: /at=/ },
    waiting: unavailable('LoadFailed', /LoadFailed.*no database here/),
    next: unavailable('LoadFailed', /no database here/),
    condition: notReady('LoadFailed', /no database here/),
    log: /Error: no database here/,
  },
  {
    name: 'does not parse',
    bundle: module('export const = 1;\n'),
    called: 'loading',
    visible: { line: /SyntaxError/ },
    waiting: unavailable('LoadFailed', /SyntaxError/),
    next: unavailable('LoadFailed', /SyntaxError/),
    condition: notReady('LoadFailed', /SyntaxError/),
    log: /SyntaxError/,
  },
  {
    name: 'exits while it is loaded, with code 0',
    bundle: module(`${slowLoad}console.log(${now});\nprocess.exit(0);\n${ok}`),
    called: 'loading',
    visible: { line: /at=/ },
    waiting: unavailable('Exited', /process\.exit\(0\)/),
    next: unavailable('Exited', /process\.exit\(0\)/),
    condition: notReady('Exited', /process\.exit\(0\)/),
    log: /process\.exit\(0\)/,
  },
  {
    name: 'has a command that is not there',
    bundle: command('http', '', 'no-such-interpreter server.mjs'),
    called: 'loading',
    visible: { line: /no-such-interpreter/ },
    waiting: unavailable('LoadFailed', /no-such-interpreter/),
    next: unavailable('LoadFailed', /no-such-interpreter/),
    condition: notReady('LoadFailed', /no-such-interpreter.*ENOENT/),
    log: /no-such-interpreter/,
  },
  {
    name: 'is a process that never listens',
    bundle: command('http', `console.log(${now});\nsetInterval(() => {}, 1000);\n`),
    deployment: { envVars: { ready_timeout: '800ms' } },
    called: 'loading',
    visible: { line: /did not listen/ },
    waiting: unavailable('NeverReady', /did not listen on .* within ready_timeout of 0\.8s/),
    next: unavailable('NeverReady', /ready_timeout/),
    condition: notReady('NeverReady', /did not listen/),
    log: /did not listen/,
  },
  {
    name: 'is a module that never finishes to load',
    bundle: module(`console.log(${now});\nsetInterval(() => {}, 1000);\nawait new Promise(() => {});\n${ok}`),
    deployment: { envVars: { ready_timeout: '800ms' } },
    called: 'loading',
    visible: { line: /at=/, plusMs: 800 },
    waiting: unavailable('NeverReady', /did not finish to load within ready_timeout of 0\.8s/),
    next: unavailable('NeverReady', /ready_timeout/),
    condition: notReady('NeverReady', /ready_timeout/),
    log: /ready_timeout/,
  },
  {
    name: 'is a module that loads in an endless loop',
    bundle: module(`import { writeSync } from 'node:fs';\nwriteSync(1, ${now} + '\\n');\nfor (;;);\n`),
    deployment: { envVars: { ready_timeout: '800ms' } },
    called: 'loading',
    // A little more than that: the watchdog, which would know better, is given the chance to speak first.
    visible: { line: /at=/, plusMs: 1300 },
    waiting: unavailable('NeverReady', /did not answer within .*ready_timeout/),
    next: unavailable('NeverReady', /ready_timeout/),
    condition: notReady('NeverReady', /ready_timeout/),
    log: /NeverReady/,
  },
  {
    name: 'exits at every start',
    bundle: command('http', `console.log(${now});\nprocess.exitCode = 7;\n`),
    called: 'loading',
    visible: { line: /at=/ },
    waiting: unavailable('Exited', /exited with code 7/),
    next: unavailable('CrashLoop', /exited with code 7 \(\d+ times in a row\)|exited with code 7.*\(\d+ times in a row\)/),
    condition: notReady('CrashLoop', /code 7.*times in a row/),
    log: /exited with code 7/,
  },
];

const later: readonly FailingRow[] = [
  {
    name: 'exits in a timer while a call runs',
    bundle: module(
      `${slowerLoad}export const handler = () => {\n  setTimeout(() => { console.log(${now}); process.exit(3); }, 100);\n  return new Promise(() => {});\n};\n`,
    ),
    called: 'ready',
    visible: { line: /at=/ },
    waiting: { status: 500, body: /the function ended: the function called process\.exit\(3\)/ },
    next: unavailable('Exited', /process\.exit\(3\)/),
    condition: notReady('Exited', /process\.exit\(3\)/),
    log: /process\.exit\(3\)/,
  },
  {
    name: 'throws in a timer while a call runs',
    bundle: module(
      `${slowerLoad}export const handler = () => {\n  setTimeout(() => { console.log(${now}); throw new Error('lost the thread'); }, 100);\n  return new Promise(() => {});\n};\n`,
    ),
    called: 'ready',
    visible: { line: /at=/ },
    waiting: { status: 500, body: /the function ended: Error: lost the thread/ },
    next: unavailable('Exited', /lost the thread/),
    condition: notReady('Exited', /lost the thread/),
    log: /Error: lost the thread/,
  },
  {
    name: 'is a process that exits while a call runs',
    bundle: command('http', `${slowerLoad}${listens(`console.log(${now}); process.exit(4)`)}`),
    called: 'ready',
    visible: { line: /at=/ },
    waiting: { status: 500, body: /watchdog: the function('s server did not answer| ended)/ },
    next: unavailable('Exited', /exited with code 4/),
    condition: notReady('Exited', /exited with code 4/),
    log: /exited with code 4/,
  },
  {
    name: 'is killed while a call runs',
    bundle: module(
      `${slowerLoad}import { writeSync } from 'node:fs';\nexport const handler = () => {\n  writeSync(1, ${now} + '\\n');\n  process.kill(process.pid, 'SIGKILL');\n  return new Promise(() => {});\n};\n`,
    ),
    called: 'ready',
    visible: { line: /at=/ },
    waiting: { status: 502, body: /closed the connection/ },
    unread: unavailable('Exited', /was killed by SIGKILL/),
    next: unavailable('Exited', /was killed by SIGKILL/),
    condition: notReady('Exited', /was killed by SIGKILL/),
    log: /was killed by SIGKILL/,
  },
  {
    name: 'answers what is no HTTP',
    bundle: command('http', listens(`console.log(${now}); socket.end(Buffer.from([0, 255, 1, 254, 10, 13, 10]))`)),
    called: 'ready',
    visible: { line: /at=/ },
    waiting: { status: 500, body: /watchdog: the function's server did not answer: Parse Error/ },
    next: { status: 500, body: /Parse Error/ },
    condition: { type: 'Ready', status: 'True', reason: 'Running', message: /answer/ },
    log: /at=/,
  },
  {
    name: 'has a command per call that is not there',
    bundle: command('streaming', '', 'no-such-interpreter server.mjs'),
    called: 'ready',
    visible: { callMs: 0 },
    waiting: { status: 500, body: /no-such-interpreter/ },
    next: { status: 500, body: /no-such-interpreter/ },
    condition: { type: 'Ready', status: 'True', reason: 'Running', message: /answer/ },
    log: /no-such-interpreter/,
  },
  {
    name: 'does not answer within its timeout',
    bundle: module('export const handler = () => new Promise(() => {});\n'),
    deployment: { annotations: { 'sluice.dev/timeout': '400ms' } },
    called: 'ready',
    visible: { callMs: 400 },
    waiting: { status: 504, reason: 'ExecTimeout', body: /watchdog: the function did not finish within exec_timeout of 400ms/ },
    next: { status: 504, reason: 'ExecTimeout', body: /400ms/, afterMs: 400 },
    condition: timedOut,
    log: /did not finish within exec_timeout of 400ms/,
  },
  {
    name: 'is a process that does not answer within its timeout',
    bundle: command('http', listens('')),
    deployment: { envVars: { exec_timeout: '400ms' } },
    called: 'ready',
    visible: { callMs: 400 },
    waiting: { status: 504, reason: 'ExecTimeout', body: /did not finish within exec_timeout of 400ms/ },
    next: { status: 504, reason: 'ExecTimeout', body: /exec_timeout of 400ms/, afterMs: 400 },
    condition: timedOut,
    log: /did not finish within exec_timeout of 400ms/,
  },
  {
    name: 'falls into an endless loop',
    bundle: module('export const handler = () => { for (;;); };\n'),
    deployment: { annotations: { 'sluice.dev/timeout': '400ms' } },
    called: 'ready',
    visible: { callMs: 400 },
    waiting: { status: 504, reason: 'UpstreamTimeout', body: /did not finish its answer within 400ms/ },
    next: { status: 504, reason: 'UpstreamTimeout', body: /within 400ms/, afterMs: 400 },
    condition: timedOut,
    log: /started/,
  },
  {
    name: 'fills its heap',
    bundle: module(
      `${slowerLoad}export const handler = () => {\n  console.log('pid=' + process.pid);\n  const all = [];\n  for (;;) all.push(new Array(1000).fill({}));\n};\n`,
    ),
    deployment: { limits: { memory: '64Mi' } },
    called: 'ready',
    visible: 'exit',
    waiting: { status: 502, body: /closed the connection/ },
    unread: unavailable('OOMKilled', /more memory than its limit of 64Mi/),
    next: unavailable('OOMKilled', /more memory than its limit of 64Mi/),
    condition: notReady('OOMKilled', /limit of 64Mi/),
    log: /OOMKilled/,
  },
  {
    name: 'fills memory outside of its heap',
    bundle: module(
      `${slowerLoad}export const handler = async () => {\n  console.log('pid=' + process.pid);\n  const all = [];\n  for (;;) { all.push(Buffer.alloc(4_000_000, 1)); await new Promise((resolve) => setTimeout(resolve, 5)); }\n};\n`,
    ),
    deployment: { limits: { memory: '96Mi' } },
    called: 'ready',
    visible: 'exit',
    waiting: { status: 502, body: /closed the connection/ },
    next: unavailable('OOMKilled', /more memory than its limit of 96Mi/),
    condition: notReady('OOMKilled', /limit of 96Mi/),
    log: /OOMKilled/,
  },
];

export const failingRows: readonly FailingRow[] = [...loading, ...later];
