// The function's own process, for the modes that have one.
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Config, Environment } from './config.ts';
import { createLineWriter, linePrefix } from './log-lines.ts';
import { StartError } from './start-error.ts';

/** The command as of-watchdog splits it: at single spaces, without quoting. */
export const commandOf = (fprocess: readonly string[]): [string, string[]] => [fprocess[0] as string, fprocess.slice(1)];

/** `code 3` or `signal SIGKILL`. */
export const describeExit = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `code ${code}` : `signal ${signal}`;

/** Prints a stream of the function line by line as the settings have it. */
export const followOutput = (
  stream: Readable,
  name: 'stdout' | 'stderr',
  config: Config,
  target: NodeJS.WritableStream,
): void => {
  const lines = createLineWriter(linePrefix(name, config.prefixLogs), config.logBufferBytes, (line) => void target.write(line));
  stream.on('data', (chunk: Buffer) => lines.write(chunk));
  stream.on('end', () => lines.end());
  stream.on('error', () => lines.end());
};

export type ServerProcess = {
  /** Resolves when it runs. @throws StartError (`LoadFailed`) when there is no such command */
  readonly started: Promise<void>;
  /** Resolves with the way it ended. */
  readonly exited: Promise<string>;
  /** SIGTERM, and SIGKILL when it still runs `graceMs` later. */
  stop(graceMs: number): Promise<void>;
  kill(): void;
};

/** Starts the one process that serves all calls. It stays in our process group, so that whoever ends the group ends it. */
export const startServerProcess = (config: Config, env: Environment): ServerProcess => {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const [command, args] = commandOf(config.fprocess);
  const output = config.prefixLogs ? 'pipe' : 'inherit';
  const child: ChildProcess = spawn(command, args, { env: env as NodeJS.ProcessEnv, stdio: ['pipe', output, output] });
  child.stdin?.on('error', () => undefined);
  if (child.stdout !== null) followOutput(child.stdout, 'stdout', config, process.stdout);
  if (child.stderr !== null) followOutput(child.stderr, 'stderr', config, process.stderr);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(describeExit(code, signal)));
  });
  const started = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new StartError('LoadFailed', `fprocess ${command}: ${cause.message}`, { cause })));
  });
  return {
    started,
    exited,
    stop: async (graceMs) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
    kill: () => void child.kill('SIGKILL'),
  };
};
