// A watchdog without a function: boots ahead of time, is told once over its own socket what to run, and ends with the
// process that started it. The contract is provider/types/specialize.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type SpecializeFailure, specializePath } from '../provider/types/specialize.ts';
import { answer } from './answer.ts';
import { become } from './become.ts';
import { readConfig } from './config.ts';
import { createFront, type Front } from './front.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { readBody } from './read-body.ts';
import { createRunner } from './runners/create-runner.ts';
import type { Runner } from './runners/runner.ts';
import { parseSpecialization } from './specialization.ts';
import { describeThrown, StartError } from './start-error.ts';

const controlPipe = 3;
const maxSpecializationBytes = 16 * 1024 * 1024;
/** Longest wait for running calls at the end, when the function has no time limit of its own. */
const defaultDrainMs = 30_000;

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

const killGroup = (): never => {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Not the leader of a group, as when started by hand: then only we are to end.
  }
  process.kill(process.pid, 'SIGKILL');
  return process.exit(1);
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

export const startBlank = (env: NodeJS.ProcessEnv): void => {
  const socketPath = takeVariable(env, 'SLUICE_SOCKET');
  const token = takeVariable(env, 'SLUICE_TOKEN');
  const printError = (text: string): void => void process.stderr.write(`${text}\n`);
  const log = createLog((text) => void process.stderr.write(text));
  const metrics = createMetrics();
  let runner: Runner | undefined;
  let specializing: ServerResponse | undefined;
  let taken = false;
  let dying = false;
  let drainMs = defaultDrainMs;
  let intervalMs = 0;

  /** The function is of no use any more: everybody who waits is told, synchronously, and the process ends. */
  const die = (error: StartError): never => {
    if (!dying) {
      dying = true;
      printError(error.message);
      if (specializing !== undefined && !specializing.headersSent) sendFailure(specializing, error);
      front.failAll(`watchdog: the function ended: ${error.message.split('\n', 1)[0]}`);
      runner?.kill();
    }
    return process.exit(error.exitCode);
  };

  const load = async (text: string, response: ServerResponse): Promise<void> => {
    const specialization = parseSpecialization(text);
    const { mode, handler, environment, root } = specialization;
    const settings = { ...environment, mode, ...(handler === undefined ? {} : { handler }) };
    const config = readConfig(settings, 'blank');
    become(specialization, env);
    runner = await createRunner({ config, root, env: environment, log, printError, onDeath: die, waitUntilReady: true });
    drainMs = config.writeTimeoutMs || config.execTimeoutMs || defaultDrainMs;
    intervalMs = config.healthcheckIntervalMs;
    front.serve(config, runner);
    specializing = undefined;
    response.writeHead(200, { 'Content-Length': 0 });
    response.end();
  };

  const onSpecialize = (request: IncomingMessage, response: ServerResponse): void => {
    if (taken) {
      answer(response, 409, 'watchdog: this process has its function already');
      return;
    }
    taken = true;
    readBody(request, maxSpecializationBytes, (error, body) => {
      specializing = response;
      if (error === undefined) load(body.toString('utf8'), response).catch((failure: unknown) => die(toStartError(failure)));
      else die(new StartError('Invalid', error.message));
    });
  };

  const control = (path: string, request: IncomingMessage, response: ServerResponse): boolean => {
    if (path !== specializePath && path !== '/_/metrics') return false;
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!isSame(given, token)) answer(response, 401, 'authorization: expected the token of this process');
    else if (path === '/_/metrics') answerMetrics(response);
    else if (request.method === 'POST') onSpecialize(request, response);
    else answer(response, 405, `method: expected POST, got ${request.method}`, ['Allow', 'POST']);
    return true;
  };

  const answerMetrics = (response: ServerResponse): void => {
    const text = metrics.text(front.inFlight());
    response.writeHead(200, {
      'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(text);
  };

  const front: Front = createFront({ log, metrics, control });

  process.on('uncaughtException', (error) => die(new StartError('Exited', describeThrown(error), { cause: error })));
  process.on('exit', (code) => {
    if (dying) return;
    dying = true;
    const error = new StartError('Exited', `the function called process.exit(${code})`);
    if (specializing !== undefined && !specializing.headersSent) sendFailure(specializing, error);
    front.failAll(`watchdog: ${error.message}`);
    printError(error.message);
    if (code === 0) process.exitCode = 1;
  });

  const stop = async (): Promise<void> => {
    front.refuse();
    if (intervalMs > 0) await new Promise((resolve) => setTimeout(resolve, intervalMs));
    await front.drain(drainMs);
    await runner?.stop();
    dying = true;
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());

  followParent(
    () => {
      runner?.kill();
      killGroup();
    },
    (pipe) => {
      front.server.on('error', (error) => die(new StartError('Invalid', `${socketPath}: ${error.message}`)));
      front.server.listen(socketPath, () => pipe.write('ready\n'));
    },
  );
};

/** The pipe's other end is held by who started us; it closes when that process is gone, however it went. */
const followParent = (onGone: () => void, start: (pipe: Socket) => void): void => {
  let pipe: Socket;
  try {
    pipe = new Socket({ fd: controlPipe, readable: true, writable: true });
  } catch (error) {
    throw new StartError('Invalid', `file descriptor ${controlPipe}: expected the control pipe: ${(error as Error).message}`);
  }
  pipe.on('error', onGone);
  pipe.on('close', onGone);
  pipe.resume();
  start(pipe);
};
