// One watchdog process: its directory, its socket, its output and its end.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { FaasError } from '../types/errors.ts';
import { markerVariable } from './environment.ts';
import { createLineSplitter } from './lines.ts';

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type ChildPlaces = {
  readonly dir: string;
  readonly socket: string;
  readonly temporary: string;
  readonly secrets: string;
};

export interface Child {
  readonly id: string;
  readonly pid: number;
  readonly places: ChildPlaces;
  readonly token: string;
  readonly marker: string;
  /** Resolves when it listens. @throws unavailable when it ends before */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone; its last output may still come. */
  readonly exited: Promise<Exit>;
  /** Resolves when it is gone and its output was read, or shortly after it is gone when a descendant holds the output open. */
  readonly drained: Promise<Exit>;
  hasExited(): boolean;
  /** Lines from now on go to `sink`, after those that came before. */
  readLines(sink: (line: string) => void): void;
  /** Signals the whole process group. */
  kill(signal: NodeJS.Signals): void;
  /** Signals the watchdog alone. */
  terminate(): void;
  /** Takes its directory away. */
  remove(): Promise<void>;
}

export type ChildOptions = {
  readonly id: string;
  readonly runDir: string;
  /** Gateway instance; part of the marker. */
  readonly instance: string;
  readonly file: (places: ChildPlaces) => { file: string; args: string[] };
  readonly environment: Readonly<Record<string, string>>;
  /** User that the system starts it as; this process's own unless given. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Who must be able to make the socket in `dir`; only where it boots as that user already. */
  readonly prepare: (places: ChildPlaces) => void;
};

const maxLineLength = 64 * 1024;
const keptEarlyLines = 200;
const outputGraceMs = 50;

export const newChildId = (): string => randomBytes(6).toString('hex');

export const toMarker = (instance: string, id: string): string => `${instance}-${id}`;

/**
 * Reads a stream line by line. A process that floods its output is slowed down by not reading it for a while: the
 * gateway's event loop belongs to everybody.
 */
const readOutput = (stream: Readable, emit: (line: string) => void): Promise<void> => {
  const splitter = createLineSplitter(maxLineLength, emit);
  stream.on('data', (chunk: Buffer) => {
    const lines = splitter.push(chunk);
    const pauseMs = Math.max(lines / 200, chunk.length / 10_000);
    if (pauseMs < 2) return;
    stream.pause();
    setTimeout(() => stream.resume(), pauseMs).unref();
  });
  stream.on('error', () => stream.destroy());
  return new Promise((resolve) => {
    stream.on('close', () => {
      splitter.end();
      resolve();
    });
  });
};

const killGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
};

const listening = (control: Socket, started: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = '';
    control.on('data', (chunk) => {
      text += chunk.toString();
      if (text.includes('ready\n')) resolve();
    });
    control.on('error', () => {});
    started.once('exit', () => reject(new FaasError('unavailable', 'the watchdog ended before it listened')));
    started.once('error', (error) => reject(new FaasError('unavailable', `the watchdog cannot start: ${error.message}`)));
  });

const makePlaces = (runDir: string, id: string): ChildPlaces => {
  const dir = join(runDir, id);
  return { dir, socket: join(dir, 's'), temporary: join(dir, 't'), secrets: join(dir, 'secrets') };
};

/** Blocks for the time of one process start (1 to 2 ms): the caller spaces them. @throws when the system starts no process */
export const startChild = (options: ChildOptions): Child => {
  const { id, runDir, instance } = options;
  const places = makePlaces(runDir, id);
  const token = randomBytes(16).toString('hex');
  const marker = toMarker(instance, id);
  let started: ChildProcess;
  try {
    for (const dir of [places.dir, places.temporary, places.secrets]) mkdirSync(dir, { mode: 0o700 });
    options.prepare(places);
    const { file, args } = options.file(places);
    started = spawn(file, args, {
      cwd: places.temporary,
      env: { ...options.environment, SLUICE_SOCKET: places.socket, SLUICE_TOKEN: token, [markerVariable]: marker },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
      ...options.owner,
    });
  } catch (error) {
    rmSync(places.dir, { recursive: true, force: true });
    throw error;
  }

  let sink: ((line: string) => void) | undefined;
  let early: string[] = [];
  const emit = (line: string): void => {
    if (sink !== undefined) sink(line);
    else if (early.length < keptEarlyLines) early.push(line);
  };
  const outputs = [started.stdout, started.stderr].map((stream) => (stream === null ? undefined : readOutput(stream, emit)));
  const ready = listening(started.stdio[3] as Socket, started);
  ready.catch(() => {});

  let hasExited = false;
  const exited = new Promise<Exit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      hasExited = true;
      if (started.pid !== undefined) killGroup(started.pid, 'SIGKILL');
      resolve({ code, signal });
    };
    started.once('exit', end);
    started.once('error', () => {
      if (started.pid === undefined) end(null, null);
    });
  });
  const drained = exited.then(async (exit) => {
    const grace = new Promise<void>((resolve) => setTimeout(resolve, outputGraceMs));
    await Promise.race([Promise.all(outputs), grace]);
    for (const stream of [started.stdout, started.stderr, started.stdio[3]]) stream?.destroy();
    return exit;
  });

  return {
    id,
    pid: started.pid ?? 0,
    places,
    token,
    marker,
    ready,
    exited,
    drained,
    hasExited: () => hasExited,
    readLines: (next) => {
      sink = next;
      for (const line of early) next(line);
      early = [];
    },
    kill: (signal) => {
      if (started.pid !== undefined && !hasExited) killGroup(started.pid, signal);
    },
    terminate: () => {
      if (!hasExited) started.kill('SIGTERM');
    },
    remove: () => rm(places.dir, { recursive: true, force: true, maxRetries: 3 }),
  };
};
