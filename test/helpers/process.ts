// Programs as processes of their own: started, watched line by line, and surely ended with the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Cleanup, onEnd } from './cleanup.ts';

export type ProgramOptions = {
  /** The whole environment; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
};

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Program = {
  readonly pid: number;
  /** Everything it printed so far. */
  stdout(): string;
  stderr(): string;
  /**
   * The first match in what it printed on either stream, now or later.
   * @throws Error with its output when the time is up or it ends without
   */
  until(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Resolves when it is gone and its output complete. */
  readonly exited: Promise<Exit>;
  kill(signal?: NodeJS.Signals): void;
};

const watchOutput = (child: ChildProcess) => {
  const text = { stdout: '', stderr: '' };
  const looks = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const look of [...looks]) look();
    });
  }
  return { text, looks };
};

/** A directly started program. Its children are its own business: give it a chance to end them with SIGTERM. */
export const startProgram = (t: Cleanup, command: string, args: readonly string[], options: ProgramOptions = {}): Program => {
  const child = spawn(command, args, { cwd: options.cwd, env: { ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const { text, looks } = watchOutput(child);
  // A program that ends at once may not read its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const exited = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));
  exited.catch(() => undefined);
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  onEnd(t, async () => {
    if (!isGone()) child.kill('SIGKILL');
    await exited.catch(() => undefined);
  });
  const output = (): string => `${command} ${args.join(' ')}\n${text.stdout}${text.stderr}`;

  const until = async (pattern: RegExp, timeoutMs = 20_000): Promise<RegExpExecArray> => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const look = (): void => {
      const match = pattern.exec(text.stdout) ?? pattern.exec(text.stderr);
      if (match !== null) resolve(match);
    };
    const timer = setTimeout(() => reject(new Error(`not printed within ${timeoutMs} ms: ${pattern}\n${output()}`)), timeoutMs);
    looks.add(look);
    look();
    exited.then(
      ({ code, signal }) => reject(new Error(`ended with ${code ?? signal} before it printed ${pattern}\n${output()}`)),
      reject,
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      looks.delete(look);
    }
  };

  return {
    pid: child.pid ?? 0,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    until,
    exited,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
  };
};

/** Runs a program to its end. */
export const runProgram = async (
  t: Cleanup,
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> => {
  const program = startProgram(t, command, args, options);
  const exit = await program.exited;
  return { ...exit, stdout: program.stdout(), stderr: program.stderr() };
};
