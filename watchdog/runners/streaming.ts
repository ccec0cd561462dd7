// Mode streaming: one process a call, its input the request body, its output the response body as it comes.
import type { Call } from '../call.ts';
import { describeExit } from '../child.ts';
import type { Config, Environment } from '../config.ts';
import { hasBody } from '../read-body.ts';
import { createForks, type Forks } from './fork.ts';
import type { Runner } from './runner.ts';

const run = (call: Call, forks: Forks, config: Config): void => {
  const { request, response } = call;
  const command = config.fprocess.join(' ');
  const fork = forks.start(call);
  if (fork === undefined) return;
  const begin = (): void => {
    response.writeHead(200, { 'Content-Type': config.contentType });
  };
  fork.stdout.on('data', (chunk: Buffer) => {
    if (call.over) return;
    if (!response.headersSent) begin();
    if (response.write(chunk)) return;
    fork.stdout.pause();
    response.once('drain', () => fork.stdout.resume());
  });
  fork.once('close', (code, signal) => {
    if (call.over) return;
    if (code !== 0) {
      call.fail(500, `watchdog: fprocess ${command}: exited with ${describeExit(code, signal)}`);
      return;
    }
    if (!response.headersSent) begin();
    response.end();
  });
  if (hasBody(request)) request.pipe(fork.stdin);
  else fork.stdin.end();
};

export const createStreamingRunner = (config: Config, env: Environment): Runner => {
  const forks = createForks(config, env);
  return { handle: (call) => run(call, forks, config), ready: () => true, stop: async () => forks.kill(), kill: forks.kill };
};
