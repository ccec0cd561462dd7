// Runs one program to its end, with bounded output, in a process group that dies as a whole when the build is cancelled.
import { spawn } from 'node:child_process';
import { FaasError } from '../../provider/types/errors.ts';

export type RunOptions = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
};

export type RunResult = { readonly code: number | null; readonly stdout: string; readonly output: string };

const keptCharacters = 64 * 1024;

const keepTail = (text: string, more: string): string => {
  const all = text + more;
  return all.length > keptCharacters ? all.slice(-keptCharacters) : all;
};

/**
 * Resolves whatever the exit code is; `output` is both streams as they came, at most their last 64 KiB.
 * @throws not-found when the program does not exist; the signal's reason when it is aborted
 */
export const run = (command: string, args: readonly string[], options: RunOptions): Promise<RunResult> =>
  new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = keepTail(stdout, text);
      output = keepTail(output, text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = keepTail(output, text);
    });
    const kill = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    };
    options.signal?.addEventListener('abort', kill, { once: true });
    const settle = (act: () => void): void => {
      options.signal?.removeEventListener('abort', kill);
      if (options.signal?.aborted) reject(options.signal.reason);
      else act();
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      const message = missing ? `${command}: expected to find this program on PATH` : `${command}: ${error.message}`;
      settle(() => reject(new FaasError(missing ? 'not-found' : 'internal', message, { cause: error })));
    });
    child.once('close', (code) => settle(() => resolve({ code, stdout, output })));
  });
