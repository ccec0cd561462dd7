// Starts a blank watchdog as a provider does and talks to it over its socket.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Specialization } from '../../provider/types/specialize.ts';
import { onEnd } from '../helpers/cleanup.ts';

export const watchdogPath = fileURLToPath(new URL('../../watchdog/main.ts', import.meta.url));

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly body: string;
};

export type CallOptions = {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
};

export type Target = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export const open = (target: Target, path: string, options: CallOptions = {}): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body } = options;
    const sent = request({ ...target, path, method, headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.end(body);
  });

export const textOf = async (message: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of message.setEncoding('utf8')) text += chunk;
  return text;
};

export const call = async (target: Target, path: string, options: CallOptions = {}): Promise<Answer> => {
  const message = await open(target, path, options);
  const body = await textOf(message);
  return { status: message.statusCode ?? 0, headers: message.headers, rawHeaders: message.rawHeaders, body };
};

export type Blank = {
  readonly child: ChildProcess;
  readonly socketPath: string;
  readonly dir: string;
  readonly target: Target;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output(): { stdout: string; stderr: string };
  /** Resolves once this was printed: output comes by another way than answers, maybe later. */
  printed(stream: 'stdout' | 'stderr', text: RegExp): Promise<void>;
  specialize(part?: Partial<Specialization>): Promise<Answer>;
  call(path: string, options?: CallOptions): Promise<Answer>;
};

const token = 'a-token';

/** Files are written to the function's directory. Everything ends with the test. */
export const startBlank = async (t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<Blank> => {
  const dir = mkdtempSync(join(tmpdir(), 'wd-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const socketPath = join(dir, 's');
  const child = spawn(process.execPath, [watchdogPath, '--blank'], {
    env: { PATH: process.env.PATH, SLUICE_SOCKET: socketPath, SLUICE_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  onEnd(t, async () => {
    child.stdio[3]?.destroy();
    await exited;
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  const [ready] = await Promise.race([
    once(child.stdio[3] as NodeJS.ReadableStream, 'data'),
    exited.then(() => [`exited: ${output.stderr}`]),
  ]);
  if (String(ready) !== 'ready\n') throw new Error(`expected ready, got ${ready}`);
  const target = { socketPath };
  return {
    child,
    socketPath,
    dir,
    target,
    exited,
    output: () => output,
    printed: async (stream, text) => {
      while (!text.test(output[stream])) {
        const ended = await Promise.race([
          once(child[stream] as NodeJS.ReadableStream, 'data').then(() => false),
          exited.then(() => true),
        ]);
        if (ended && !text.test(output[stream]))
          throw new Error(`${stream}: expected ${text}, got ${JSON.stringify(output[stream])}`);
      }
    },
    call: (path, options) => call(target, path, options),
    specialize: (part = {}) =>
      call(target, '/_/specialize', {
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          name: 'f',
          namespace: 'openfaas-fn',
          root: dir,
          mode: 'inproc',
          handler: 'handler.js',
          environment: {},
          ...part,
        }),
      }),
  };
};

/** A watchdog that runs this handler. */
export const startHandler = async (
  t: TestContext,
  source: string,
  environment: Readonly<Record<string, string>> = {},
  file = 'handler.js',
): Promise<Blank> => {
  const blank = await startBlank(t, { [file]: source });
  const answer = await blank.specialize({ handler: file, environment });
  if (answer.status !== 200) throw new Error(`specialize: ${answer.status} ${answer.body}`);
  return blank;
};
