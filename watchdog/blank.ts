// A watchdog without a function: boots ahead of time, is told once over its own socket what to run, and ends with the
// process that started it. The contract is provider/types/specialize.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type SpecializeFailure, specializePath } from '../provider/types/specialize.ts';
import { answer } from './answer.ts';
import { become } from './become.ts';
import { readConfig } from './config.ts';
import { killGroup, openControlPipe } from './control-pipe.ts';
import { Front } from './front.ts';
import { createLife, type Life } from './life.ts';
import { listenOn } from './listen.ts';
import { createLog } from './log.ts';
import { createMetrics, sendMetrics } from './metrics.ts';
import { readBody } from './read-body.ts';
import { rehearse } from './rehearsal.ts';
import { createRunner } from './runners/create-runner.ts';
import type { Runner } from './runners/runner.ts';
import { parseSpecialization } from './specialization.ts';
import { describeThrown, StartError } from './start-error.ts';
import { warmUp } from './warm-up.ts';

const maxSpecializationBytes = 16 * 1024 * 1024;
/** Longest wait for running calls at the end, when the function has no time limit of its own. */
const defaultDrainMs = 30_000;

/** Long enough that a start without a pool has been told by then what to run. */
const warmUpPauseMs = 20;

/** Compares in a time that does not tell how much of it was right. */
const isSame = (given: string, wanted: string): boolean => {
  const a = Buffer.from(given);
  const b = Buffer.from(wanted);
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i += 1) difference |= (a[i % Math.max(1, a.length)] ?? 0) ^ (b[i] as number);
  return difference === 0;
};

const takeVariable = (env: NodeJS.ProcessEnv, name: string): string => {
  const value = env[name];
  delete env[name];
  if (value === undefined || value === '') throw new StartError('Invalid', `${name}: expected a value, got nothing`);
  return value;
};

const sendFailure = (response: ServerResponse, error: StartError): void => {
  const failure: SpecializeFailure = { reason: error.reason, message: error.message };
  const body = JSON.stringify(failure);
  response.writeHead(500, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'X-OpenFaaS-Internal': 'watchdog',
  });
  response.end(body);
};

const toStartError = (error: unknown): StartError =>
  error instanceof StartError ? error : new StartError('LoadFailed', describeThrown(error), { cause: error });

const printError = (text: string): void => void process.stderr.write(`${text}\n`);

class Blank {
  readonly front: Front;
  readonly #env: NodeJS.ProcessEnv;
  readonly #token: string;
  readonly #metrics = createMetrics();
  readonly #life: Life;
  #runner: Runner | undefined;
  /** The request to specialise, until it is answered. */
  #waiting: ServerResponse | undefined;
  #taken = false;
  #intervalMs = 0;
  #drainMs = defaultDrainMs;

  constructor(env: NodeJS.ProcessEnv, token: string) {
    this.#env = env;
    this.#token = token;
    const log = createLog((text) => void process.stderr.write(text));
    this.front = new Front({
      log,
      metrics: this.#metrics,
      control: (path, request, response) => this.#control(path, request, response),
    });
    this.#life = createLife({
      front: this.front,
      runner: () => this.#runner,
      printError,
      onFailure: (error) => {
        if (this.#waiting !== undefined) sendFailure(this.#waiting, error);
      },
    });
  }

  die(error: StartError): never {
    return this.#life.die(error);
  }

  /** Somebody has begun to specialise it. */
  get taken(): boolean {
    return this.#taken;
  }

  async stop(): Promise<void> {
    await this.#life.stop(this.#intervalMs, this.#drainMs);
    process.exit(0);
  }

  /** Without a word: nobody is left to hear it. */
  vanish(): void {
    this.#runner?.kill();
    killGroup();
  }

  #control(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    if (path !== specializePath && path !== '/_/metrics') return false;
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!isSame(given, this.#token)) answer(response, 401, 'authorization: expected the token of this process');
    else if (path === '/_/metrics') sendMetrics(response, this.#metrics, this.front.inFlight);
    else if (request.method !== 'POST') answer(response, 405, `method: expected POST, got ${request.method}`, ['Allow', 'POST']);
    else if (this.#taken) answer(response, 409, 'watchdog: this process has its function already');
    else this.#receive(request, response);
    return true;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    this.#taken = true;
    readBody(request, maxSpecializationBytes, (error, body) => {
      this.#waiting = response;
      if (error !== undefined) this.die(new StartError('Invalid', error.message));
      this.#specialize(body.toString('utf8')).catch((failure: unknown) => this.die(toStartError(failure)));
    });
  }

  async #specialize(text: string): Promise<void> {
    const specialization = parseSpecialization(text);
    const { mode, handler, environment, root } = specialization;
    const config = readConfig({ ...environment, mode, ...(handler === undefined ? {} : { handler }) }, 'blank');
    become(specialization, this.#env);
    const onDeath = (error: StartError): void => this.die(error);
    const parts = { config, root, env: environment, start: 'blank', printError, onDeath, waitUntilReady: true } as const;
    const runner = await createRunner(parts);
    this.#runner = runner;
    this.#intervalMs = config.healthcheckIntervalMs;
    this.#drainMs = config.writeTimeoutMs || config.execTimeoutMs || defaultDrainMs;
    this.front.serve(config, runner);
    this.#waiting?.writeHead(200, { 'Content-Length': 0 }).end();
    this.#waiting = undefined;
  }
}

const prepare = async (socketPath: string, isBlank: () => boolean): Promise<void> => {
  if (isBlank()) await warmUp(socketPath);
  await rehearse(`${socketPath}r`, isBlank);
};

/** @throws StartError when the environment or the control pipe is not as a provider sets them up */
export const startBlank = (env: NodeJS.ProcessEnv): void => {
  const socketPath = takeVariable(env, 'SLUICE_SOCKET');
  const blank = new Blank(env, takeVariable(env, 'SLUICE_TOKEN'));
  const pipe = openControlPipe(() => blank.vanish());
  process.once('SIGTERM', () => void blank.stop());
  blank.front.server.on('error', (error) => blank.die(new StartError('Invalid', `${socketPath}: ${error.message}`)));
  blank.front.server.once('listening', () => {
    pipe.write('ready\n');
    setTimeout(() => void prepare(socketPath, () => !blank.taken).catch(() => undefined), warmUpPauseMs);
  });
  listenOn(blank.front.server, socketPath);
};
