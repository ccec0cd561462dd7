// What functions of the memory provider do, by the name in their image: `echo:1` runs `echo`.
// The defaults behave as the files in test/conformance/functions/ do.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FunctionSpec } from '../../provider/types/function.ts';

/** What a replica gives to the function it runs. */
export type MemoryReplica = {
  readonly id: string;
  readonly spec: FunctionSpec;
  /** As it is now; only secrets that the specification names. */
  secret(name: string): Buffer | undefined;
  log(line: string): void;
  /** The end of the replica's process, without a word to its callers. */
  exit(code: number): void;
};

/** A throw is a function that cannot be loaded. */
export type MemoryFunction = (replica: MemoryReplica) => RequestListener;

const answering =
  (answer: (request: IncomingMessage, response: ServerResponse) => Promise<string | Buffer>): RequestListener =>
  (request, response) => {
    answer(request, response).then(
      (body) => response.end(body),
      () => response.destroy(),
    );
  };

const urlOf = (request: IncomingMessage): URL => new URL(request.url ?? '/', 'http://function');

const version =
  (name: string): MemoryFunction =>
  () =>
    answering(async () => name);

export const memoryFunctions: Readonly<Record<string, MemoryFunction>> = {
  echo: () =>
    answering(async (request, response) => {
      response.setHeader('Content-Type', 'application/json');
      return JSON.stringify({ method: request.method, url: request.url, body: await text(request) });
    }),
  env: ({ spec }) =>
    answering(async () =>
      JSON.stringify({ FROM_BUNDLE: 'bundle', OVERRIDDEN: 'bundle', ...spec.envVars, fprocess: spec.envProcess }),
    ),
  secret: (replica) =>
    answering(async (request, response) => {
      const value = replica.secret(urlOf(request).pathname.slice(1));
      if (value === undefined) response.statusCode = 404;
      return value ?? 'ENOENT';
    }),
  version1: version('version1'),
  version2: version('version2'),
  crash: () => {
    throw new Error('boom at load');
  },
  exit: (replica) =>
    answering(async (request) => {
      if (request.method !== 'POST') return 'alive';
      replica.log('leaving now');
      setTimeout(() => replica.exit(3), 10);
      return 'bye';
    }),
  slow: () =>
    answering(async (request) => {
      await sleep(Number(urlOf(request).searchParams.get('ms') ?? 0));
      return 'done';
    }),
  log: (replica) =>
    answering(async (request) => {
      for (const line of (await text(request)).split('\n')) replica.log(line);
      return 'printed';
    }),
};
