// One watchdog process: its directory, its socket, its output and its end.
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { FaasError } from '../types/errors.ts';
import { markerVariable } from './environment.ts';
import { createLineSplitter } from './lines.ts';
import { removeTree } from './remove-tree.ts';
import type { Exit, Spawned } from './spawner/requests.ts';
import type { Spawner } from './spawner/spawner.ts';

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
  readonly command: (places: ChildPlaces) => { file: string; args: string[] };
  readonly spawner: Spawner;
  readonly environment: Readonly<Record<string, string>>;
  /** User that the system starts it as; this process's own unless given. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Who must be able to make the socket in `dir`; only where it boots as that user already. */
  readonly prepare: (places: ChildPlaces) => void;
};

const maxLineLength = 64 * 1024;
const keptEarlyLines = 200;
const outputGraceMs = 50;
const longestWord = 1024;

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
  stream.resume();
  return new Promise((resolve) => {
    stream.on('close', () => {
      splitter.end();
      resolve();
    });
  });
};

const killPid = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
};

const killGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
};

const listening = ({ control, exited }: Spawned): Promise<void> =>
  new Promise((resolve, reject) => {
    let text = '';
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (text.includes('ready\n')) resolve();
      else if (text.length < longestWord) return;
      // The function that will run there has this pipe, too: what else comes is not kept.
      control.off('data', onData);
      control.resume();
    };
    control.on('data', onData);
    control.resume();
    void exited.then(() => reject(new FaasError('unavailable', 'the watchdog ended before it listened')));
  });

const makePlaces = (runDir: string, id: string): ChildPlaces => {
  const dir = join(runDir, id);
  return { dir, socket: join(dir, 's'), temporary: join(dir, 't'), secrets: join(dir, 'secrets') };
};

/** Asks for the process within this call. @throws unavailable when the system starts no process */
export const startChild = async (options: ChildOptions): Promise<Child> => {
  const { id, runDir, instance } = options;
  const places = makePlaces(runDir, id);
  const token = randomBytes(16).toString('hex');
  const marker = toMarker(instance, id);
  let spawned: Spawned;
  try {
    for (const dir of [places.dir, places.temporary, places.secrets]) mkdirSync(dir, { mode: 0o700 });
    options.prepare(places);
    spawned = await options.spawner.start({
      id: randomBytes(16).toString('hex'),
      ...options.command(places),
      cwd: places.temporary,
      env: { ...options.environment, SLUICE_SOCKET: places.socket, SLUICE_TOKEN: token, [markerVariable]: marker },
      ...options.owner,
    });
  } catch (error) {
    rmSync(places.dir, { recursive: true, force: true });
    throw error;
  }
  return toChild({ id, places, token, marker }, spawned);
};

const toChild = (identity: Pick<Child, 'id' | 'places' | 'token' | 'marker'>, spawned: Spawned): Child => {
  const { pid } = spawned;
  let sink: ((line: string) => void) | undefined;
  let early: string[] = [];
  const emit = (line: string): void => {
    if (sink !== undefined) sink(line);
    else if (early.length < keptEarlyLines) early.push(line);
  };
  const outputs = [spawned.stdout, spawned.stderr].map((stream) => readOutput(stream, emit));
  const ready = listening(spawned);
  ready.catch(() => {});

  let hasExited = false;
  const exited = spawned.exited.then((exit) => {
    hasExited = true;
    killGroup(pid, 'SIGKILL');
    return exit;
  });
  const drained = exited.then(async (exit) => {
    const grace = new Promise<void>((resolve) => setTimeout(resolve, outputGraceMs));
    await Promise.race([Promise.all(outputs), grace]);
    for (const stream of [spawned.stdout, spawned.stderr, spawned.control]) stream.destroy();
    return exit;
  });

  return {
    ...identity,
    pid,
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
      if (!hasExited) killGroup(pid, signal);
    },
    terminate: () => {
      if (!hasExited) killPid(pid, 'SIGTERM');
    },
    remove: () => removeTree(identity.places.dir),
  };
};
