// Every template that ships, built and called through the real watchdog, as a provider starts it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scaffold } from '../../cli/templates/scaffold.ts';
import type { BundleConfig } from '../../provider/types/bundle.ts';
import { specializePath } from '../../provider/types/specialize.ts';
import { build, builtinDir, createProject } from '../cli/build/project.ts';
import { onEnd } from '../helpers/cleanup.ts';

const watchdog = fileURLToPath(new URL('../../watchdog/main.ts', import.meta.url));

const missing = (program: string): string | false =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0 ? false : `${program} is not installed`;

const post = async (socketPath: string, path: string, headers: Record<string, string>, body: string): Promise<string> => {
  const sent = request({ socketPath, path, method: 'POST', headers, agent: false }).end(body);
  const [response] = await once(sent, 'response');
  return `${response.statusCode} ${await text(response)}`;
};

const startBlank = async (t: TestContext, socketPath: string): Promise<void> => {
  const child: ChildProcess = spawn(process.execPath, [watchdog, '--blank'], {
    env: { SLUICE_SOCKET: socketPath, SLUICE_TOKEN: 'token' },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    detached: true,
  });
  onEnd(t, async () => {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    // The watchdog ends with its whole group when the pipe of whoever started it closes.
    (child.stdio[3] as Readable).destroy();
    await gone;
  });
  await once(child.stdio[3] as Readable, 'data');
};

const specialise = (
  socketPath: string,
  root: string,
  { mode, handler, fprocess, environment }: BundleConfig,
): Promise<string> => {
  const all = { PATH: process.env.PATH, TMPDIR: root, ...(fprocess === undefined ? {} : { fprocess }), ...environment };
  const body = { name: 'greet', namespace: 'openfaas-fn', root, mode, handler, environment: all };
  return post(socketPath, specializePath, { authorization: 'Bearer token' }, JSON.stringify(body));
};

for (const [lang, program, answer] of [
  ['node', 'node', '200 Hello, Ada!\n'],
  ['typescript', 'node', '200 {"message":"Hello, Ada!"}'],
  ['python3', 'python3', '200 {"message": "Hello, Ada!"}'],
  ['bash', 'bash', '200 Hello, Ada!\n'],
] as const) {
  test(`a new ${lang} function answers through the watchdog`, { skip: missing(program) }, async (t) => {
    const cwd = await createProject(t);
    await scaffold({ name: 'greet', lang, cwd, builtinDir, gateway: 'http://127.0.0.1:8080' });
    const { config } = await build(cwd, { lang });
    const socketPath = join(cwd, 's');
    await startBlank(t, socketPath);
    assert.match(await specialise(socketPath, join(cwd, 'build/greet'), config), /^200 /);
    assert.equal(await post(socketPath, '/', { 'content-type': 'text/plain' }, 'Ada'), answer);
  });
}
