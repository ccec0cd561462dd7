// Mode serializing: one process a call; the whole body goes in, and the whole output comes back once it ended well.
import type { Call } from '../call.ts';
import { describeExit } from '../child.ts';
import type { Config, Environment } from '../config.ts';
import { readBody } from '../read-body.ts';
import { createForks, type Forks } from './fork.ts';
import type { Runner } from './runner.ts';

const run = (call: Call, body: Buffer, forks: Forks, config: Config): void => {
  const { response } = call;
  const command = config.fprocess.join(' ');
  const fork = forks.start(call);
  if (fork === undefined) return;
  const output: Buffer[] = [];
  const fail = (what: string): void => {
    if (!call.over) call.fail(500, `watchdog: fprocess ${command}: ${what}`, call.duration());
  };
  fork.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  fork.once('close', (code, signal) => {
    if (code !== 0) {
      fail(`exited with ${describeExit(code, signal)}`);
      return;
    }
    if (call.over) return;
    const bytes = Buffer.concat(output);
    const [name, seconds] = call.duration();
    response.writeHead(200, { 'Content-Type': config.contentType, 'Content-Length': bytes.length, [name]: seconds });
    response.end(bytes);
  });
  fork.stdin.end(body);
};

export const createSerializingRunner = (config: Config, env: Environment): Runner => {
  const forks = createForks(config, env);
  const handle = (call: Call): void => {
    readBody(call.request, Number.POSITIVE_INFINITY, (error, body) => {
      if (error === undefined && !call.over) run(call, body, forks, config);
    });
  };
  return { handle, ready: () => true, stop: async () => forks.kill(), kill: forks.kill };
};
