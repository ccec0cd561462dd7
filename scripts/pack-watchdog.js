// Makes the watchdog one file that holds its source and, beside it, what V8 compiled of it while it booted and answered its
// first calls: reading that back takes a tenth of compiling it again at every start. Another Node.js ignores it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const recorder = fileURLToPath(new URL('record-code.cjs', import.meta.url));
const oldest = 24;
/** By then a blank watchdog has rehearsed its calls; with less of it done, less is recorded. */
const rehearsalMs = 500;
const limitMs = 20_000;

const handler = 'module.exports.handler = async (request) => new Response(await request.text());';

const call = async (socketPath, path, headers, body) => {
  const sent = request({ socketPath, path, method: 'POST', agent: false, headers });
  sent.end(body);
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`${path}: status ${response.statusCode}`);
};

/** Boots the watchdog as a provider does, makes it a function, calls that. */
const play = async (child, socketPath, dir) => {
  await once(child.stdio[3], 'data');
  await sleep(rehearsalMs);
  const specialization = {
    name: 'recorded',
    namespace: 'build',
    root: dir,
    mode: 'inproc',
    handler: 'handler.js',
    environment: {},
  };
  await call(socketPath, '/_/specialize', { Authorization: 'Bearer build' }, JSON.stringify(specialization));
  await call(socketPath, '/', { 'Content-Type': 'text/plain' }, 'body');
};

/** @returns in base64 */
const recordCode = async (source) => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-build-'));
  const file = join(dir, 'watchdog.cjs');
  const socketPath = join(dir, 's');
  await writeFile(file, source);
  await writeFile(join(dir, 'handler.js'), handler);
  const child = fork(recorder, ['--blank'], {
    env: { SLUICE_RECORD: file, SLUICE_SOCKET: socketPath, SLUICE_TOKEN: 'build' },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'ipc'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  const exited = once(child, 'exit');
  try {
    const ended = exited.then(() => Promise.reject(new Error('it ended too early')));
    await Promise.race([play(child, socketPath, dir), ended]);
    const recorded = once(child, 'message');
    child.send('record');
    return (await Promise.race([recorded, ended]))[0];
  } finally {
    child.kill('SIGKILL');
    await exited;
    await rm(dir, { recursive: true, force: true });
  }
};

/** @param bundle text of a CommonJS module @returns the same as one that starts faster, where this Node.js can make one */
export const packWatchdog = async (bundle) => {
  if (Number(process.versions.node.split('.')[0]) < oldest) return bundle;
  const source = `(function (exports, require, module, __filename, __dirname) {${bundle}\n})`;
  const code = await recordCode(source).catch((error) => {
    console.warn(`the watchdog is built without compiled code, its starts take longer: ${error.message}`);
  });
  if (code === undefined) return bundle;
  return `'use strict';
const { Script, constants } = process.getBuiltinModule('node:vm');
const code = process.version === '${process.version}' && process.arch === '${process.arch}' ? '${code}' : '';
const script = new Script(${JSON.stringify(source)}, {
  filename: __filename,
  cachedData: code === '' ? undefined : Buffer.from(code, 'base64'),
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
script.runInThisContext()(exports, require, module, __filename, __dirname);
`;
};
