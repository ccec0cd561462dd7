// Watchdogs without a gateway, to call directly or to put other proxies in front of.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoryFlags } from '../provider/process/environment.ts';
import { type Specialization, specializePath } from '../provider/types/specialize.ts';
import { call } from '../test/helpers/call.ts';
import { type Cleanup, onEnd } from '../test/helpers/cleanup.ts';
import { eventually, within } from '../test/helpers/eventually.ts';
import { freePort } from '../test/helpers/listen.ts';
import { startProgram } from '../test/helpers/process.ts';
import { makeTmpDir } from '../test/helpers/tmp.ts';

/** The one that the gateway starts. */
export const watchdogFile = fileURLToPath(new URL('../dist/watchdog.packed.cjs', import.meta.url));

const token = 'bench';

/** The function of all throughput measurements: `hello`, or the body back. */
export const webSource = `export const handler = async (request) => new Response(request.method === 'POST' ? await request.text() : 'hello');`;

const eventSource = `module.exports = async (event, context) => context.status(200).succeed(event.method === 'POST' ? event.body : 'hello');`;

/**
 * Of a POST the number of bytes that came, of a GET `?bytes=` of them. With `?slow=true` it reads nothing for two seconds
 * and then 128 MiB a second.
 */
export const bodiesSource = `import { setTimeout as sleep } from 'node:timers/promises';
const part = new Uint8Array(65536).fill(120);
export const handler = async (request) => {
  const query = new URL(request.url).searchParams;
  if (request.method === 'POST') {
    const startMs = performance.now() + 2000;
    let got = 0;
    for await (const chunk of request.body) {
      got += chunk.length;
      const aheadMs = query.get('slow') === 'true' ? startMs + got / (134217.728) - performance.now() : 0;
      if (aheadMs >= 5) await sleep(aheadMs);
    }
    return new Response(String(got));
  }
  let left = Number(query.get('bytes') ?? 0);
  return new Response(new ReadableStream({
    pull(controller) {
      const size = Math.min(left, part.length);
      if (size > 0) controller.enqueue(part.subarray(0, size));
      left -= size;
      if (left === 0) controller.close();
    },
  }));
};`;

const styles = {
  web: { file: 'handler.mjs', source: webSource },
  event: { file: 'handler.js', source: eventSource },
  bodies: { file: 'handler.mjs', source: bodiesSource },
} as const;

export type Style = keyof typeof styles;

const interfaceOf = (style: Style): string => (style === 'event' ? 'event' : 'web');

const unlimited = { exec_timeout: '1h', read_timeout: '1h', write_timeout: '1h' };

const writeFunction = async (t: Cleanup, style: Style): Promise<{ root: string; dir: string; handler: string }> => {
  const dir = await makeTmpDir(t);
  const root = join(dir, 'function');
  await mkdir(root);
  const { file, source } = styles[style];
  await writeFile(join(root, file), source);
  return { root, dir, handler: file };
};

export type Blank = { readonly pid: number; readonly socketPath: string; specialize(style: Style): Promise<void> };

/** A blank watchdog as the embedded provider starts it, ready to be told what to run. */
export const startBlank = async (t: Cleanup): Promise<Blank> => {
  const socketPath = join(await makeTmpDir(t), 's');
  const child = spawn(process.execPath, [...memoryFlags(), watchdogFile, '--blank'], {
    env: { SLUICE_SOCKET: socketPath, SLUICE_TOKEN: token },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    detached: true,
  });
  onEnd(t, () => void child.kill('SIGKILL'));
  const control = child.stdio[3] as NodeJS.ReadableStream | null;
  if (control === null) throw new Error('the watchdog has no control pipe');
  await within(once(control, 'data'), 'a blank watchdog is ready');
  return {
    pid: child.pid ?? 0,
    socketPath,
    async specialize(style) {
      const { root, handler } = await writeFunction(t, style);
      const specialization: Specialization = {
        name: 'bench',
        namespace: 'bench',
        root,
        mode: 'inproc',
        handler,
        environment: { PATH: process.env.PATH ?? '', handler_style: interfaceOf(style), ...unlimited },
      };
      const answer = await call(
        { socketPath },
        {
          method: 'POST',
          path: specializePath,
          headers: { Authorization: `Bearer ${token}` },
          body: JSON.stringify(specialization),
        },
      );
      if (answer.status !== 200) throw new Error(`the watchdog refused the function: ${answer.status} ${answer.text}`);
    },
  };
};

/** A watchdog as it runs in a container, on a port. */
export const startOnPort = async (t: Cleanup, style: Style): Promise<{ url: string; pid: number }> => {
  const { root, dir, handler } = await writeFunction(t, style);
  const [port, metricsPort] = [await freePort(), await freePort()];
  const { pid } = startProgram(t, process.execPath, [watchdogFile], {
    cwd: root,
    env: {
      PATH: process.env.PATH ?? '',
      TMPDIR: dir,
      port: String(port),
      metrics_port: String(metricsPort),
      mode: 'inproc',
      handler,
      handler_style: interfaceOf(style),
      // As on the embedded provider; the server that it is compared with writes no line for a call either.
      access_log: 'false',
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await call(url)).status === 200, { what: 'the watchdog on a port answers' });
  return { url: `${url}/`, pid };
};
