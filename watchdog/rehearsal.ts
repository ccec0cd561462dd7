// Plays calls to handlers of our own, on a server of their own, while nobody waits. What is compiled at a first call is
// then there for the function's: it makes the first answer after a start some milliseconds faster.
import { connect } from 'node:net';
import { readConfig } from './config.ts';
import { Front } from './front.ts';
import { createEventCaller } from './inproc/event.ts';
import { readBodySettings } from './inproc/event-body.ts';
import { createWebCaller } from './inproc/web.ts';
import { listenOn } from './listen.ts';
import { createMetrics } from './metrics.ts';
import type { Runner } from './runners/runner.ts';
import { WebResponse } from './web/response.ts';

const silent = (): void => undefined;

const runnerOf = (handle: Runner['handle']): Runner => ({ handle, ready: () => true, stop: async () => undefined, kill: silent });

const runners = (): Runner[] => [
  runnerOf(
    createWebCaller({ handle: async (request) => new WebResponse(await request.text()), writeTimeoutMs: 0, printError: silent }),
  ),
  runnerOf(
    createEventCaller({
      handle: async (event: unknown) => ({ statusCode: 200, body: String(event) }),
      wantsCallback: false,
      body: readBodySettings({}, []),
      writeTimeoutMs: 0,
      printError: silent,
    }),
  ),
];

const requests = [
  'GET / HTTP/1.1\r\nHost: rehearsal\r\nConnection: keep-alive\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: rehearsal\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
].join('');

/** Two calls on one connection. */
const play = (socketPath: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
    socket.write(requests);
  });

/**
 * Failing is no failure: then the first calls are as slow as they would have been.
 * @param isWanted asked before each step: a function that has come meanwhile has the process to itself
 */
export const rehearse = async (socketPath: string, isWanted: () => boolean): Promise<void> => {
  const config = readConfig({ mode: 'inproc' }, 'blank');
  for (const runner of runners()) {
    if (!isWanted()) return;
    const front = new Front({ log: silent, metrics: createMetrics() });
    front.serve(config, runner);
    await new Promise<void>((resolve) => {
      front.server.on('error', () => resolve());
      front.server.once('listening', () => resolve());
      listenOn(front.server, socketPath);
    });
    if (isWanted()) await play(socketPath);
    front.server.closeAllConnections();
    await new Promise((resolve) => front.server.close(resolve));
  }
};
