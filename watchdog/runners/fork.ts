// Starts one process for one call, for the modes streaming and serializing: in a group of its own, so that it ends with
// all that it started when its call is cut short.
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Call } from '../call.ts';
import { cgiEnvironment } from '../cgi-env.ts';
import { commandOf, followOutput } from '../child.ts';
import type { Config, Environment } from '../config.ts';

export type Fork = ChildProcessByStdio<Writable, Readable, Readable>;

export type Forks = {
  /** `undefined` when the system starts none; the call is answered then. */
  start(call: Call): Fork | undefined;
  /** Ends what still runs, at once. */
  kill(): void;
};

const killGroup = (fork: Fork): void => {
  if (fork.pid === undefined) return;
  try {
    process.kill(-fork.pid, 'SIGKILL');
  } catch {
    // The whole group is gone already.
  }
};

const refuse = (call: Call, config: Config, { code, message }: NodeJS.ErrnoException): void => {
  if (call.over) return;
  const isTooLarge = code === 'E2BIG';
  const why = isTooLarge ? "path and headers of the request do not fit into a process's environment" : message;
  call.fail(isTooLarge ? 431 : 500, `watchdog: fprocess ${config.fprocess.join(' ')}: ${why}`, call.duration());
};

export const createForks = (config: Config, env: Environment): Forks => {
  // Only modes that fork pay for loading it.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const running = new Set<Fork>();
  const [command, args] = commandOf(config.fprocess);
  return {
    start: (call) => {
      const { request } = call;
      const head = { ...pick(request), method: request.method as string, url: request.url as string };
      let fork: Fork;
      try {
        fork = spawn(command, args, {
          env: { ...env, ...cgiEnvironment(head) },
          stdio: ['pipe', 'pipe', 'pipe'],
          detached: true,
        });
      } catch (error) {
        refuse(call, config, error as Error);
        return undefined;
      }
      fork.on('error', (error) => {
        running.delete(fork);
        refuse(call, config, error);
      });
      // Where descriptors have run out there are no pipes, and the error is yet to come.
      if (fork.stdin === undefined) return undefined;
      running.add(fork);
      followOutput(fork.stderr, 'stderr', config, process.stderr);
      // A function need not read its input; the exit status tells whether that was a failure.
      fork.stdin.on('error', () => request.resume());
      fork.once('exit', () => running.delete(fork));
      call.onAbort = () => killGroup(fork);
      return fork;
    },
    kill: () => {
      for (const fork of running) killGroup(fork);
    },
  };
};

const pick = ({ rawHeaders, headers }: Call['request']): Pick<Call['request'], 'rawHeaders' | 'headers'> => ({
  rawHeaders,
  headers,
});
