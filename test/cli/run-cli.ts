// Runs the real program inside the test's process with a context of its own, and a gateway that records what it is asked.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Context, Environment } from '../../cli/context.ts';
import { run } from '../../cli/run.ts';
import type { Cleanup } from '../helpers/cleanup.ts';
import { listen } from '../helpers/listen.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

export const packageRoot = join(fileURLToPath(import.meta.url), '../../..');

export type Setup = {
  readonly env?: Environment;
  readonly cwd?: string;
  readonly home?: string;
  /** What it holds, or itself. */
  readonly stdin?: string | Buffer | Readable;
  readonly tty?: boolean;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  /** Told about every chunk of standard output. */
  readonly onOutput?: (text: string) => void;
};

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string; readonly bytes: Buffer };

const sink = (tty: boolean, onText?: (text: string) => void) => {
  const stream = Object.assign(new PassThrough({ highWaterMark: 1 << 24 }), { isTTY: tty, columns: 80 });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    onText?.(chunk.toString());
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
};

const inputOf = (given: Setup['stdin']): Readable => {
  if (given instanceof Readable) return given;
  return Readable.from(given === undefined ? [] : [Buffer.from(given)]);
};

/** `sluice <argv>` in an empty home, directory and environment unless the setup says otherwise. */
export const runCli = async (t: Cleanup, argv: readonly string[], setup: Setup = {}): Promise<Ran> => {
  const home = setup.home ?? (await makeTmpDir(t));
  const stdout = sink(setup.tty ?? false, setup.onOutput);
  const stderr = sink(setup.tty ?? false);
  const ctx: Context = {
    env: setup.env ?? {},
    cwd: setup.cwd ?? home,
    home,
    stdin: Object.assign(inputOf(setup.stdin), { isTTY: setup.tty ?? false }),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: setup.signal ?? new AbortController().signal,
    packageRoot,
    now: setup.now ?? Date.now,
    sleep: (ms, signal) => delay(Math.min(ms, 5), undefined, signal === undefined ? {} : { signal }),
  };
  const code = await run(argv, ctx);
  stdout.stream.end();
  stderr.stream.end();
  await new Promise((resolve) => setImmediate(resolve));
  return { code, stdout: stdout.bytes().toString(), stderr: stderr.bytes().toString(), bytes: stdout.bytes() };
};

export type Seen = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type Answer = {
  readonly status?: number;
  readonly body?: string | Buffer;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** How a route answers; `undefined` falls through to 404. */
export type Routes = (
  seen: Seen,
  response: ServerResponse,
) => Answer | undefined | 'handled' | Promise<Answer | undefined | 'handled'>;

export const startGateway = async (t: Cleanup, routes: Routes): Promise<{ url: string; seen: Seen[]; calls: () => string[] }> => {
  const seen: Seen[] = [];
  const { url } = await listen(t, async (request, response) => {
    const body = (await buffer(request)).toString('latin1');
    const one: Seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
    seen.push(one);
    const answer = (await routes(one, response)) ?? { status: 404, body: 'not found' };
    if (answer === 'handled') return;
    const text = answer.json === undefined ? (answer.body ?? '') : JSON.stringify(answer.json);
    response.writeHead(answer.status ?? 200, { ...answer.headers }).end(text);
  });
  return { url, seen, calls: () => seen.map((each) => `${each.method} ${each.path}`) };
};

/** A gateway's answer about a function that answers. */
export const readyStatus = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  name,
  image: `${name}:latest`,
  namespace: 'openfaas-fn',
  replicas: 1,
  availableReplicas: 1,
  createdAt: '2026-01-02T03:04:05Z',
  ...more,
});
