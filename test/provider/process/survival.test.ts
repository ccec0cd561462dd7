// A gateway that is killed leaves nothing behind, and everything acknowledged comes back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { createWatcher } from '../../conformance/watcher.ts';
import { call } from '../../helpers/call.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { evaluator, putSource, setUp } from './support/functions.ts';
import { makePlace } from './support/make-provider.ts';
import { watchdogFile } from './support/watchdog-file.ts';

const ref = { name: 'fn', namespace: defaultNamespace };

/** A process that has ended but that nobody has waited for is as good as gone. */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

/** Starts a process that leaves the group of its parent, as daemons do, and gives its id. */
const daemon =
  "(() => { const child = spawn('/bin/sleep', ['300'], { detached: true, stdio: 'ignore' }); return [process.pid, child.pid]; })()";

test('a killed gateway takes its replicas with it; the next one ends what had left, and brings the function back', async (t) => {
  const place = await makePlace();
  onEnd(t, () => place.remove());
  const program = fileURLToPath(new URL('./support/gateway-process.ts', import.meta.url));
  const gateway = spawn(process.execPath, [program, place.dataDir, place.runDir, await watchdogFile()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onEnd(t, () => gateway.kill('SIGKILL'));
  const lines = createInterface({ input: gateway.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const answer = await call(JSON.parse(line), { method: 'POST', body: daemon });
  const [replica = 0, stray = 0] = (JSON.parse(answer.text) as { value: number[] }).value;
  assert.ok(isAlive(replica) && isAlive(stray));
  await assert.rejects(place.open(), { code: 'conflict' }, 'the data directory is in use');

  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  await eventually(() => !isAlive(replica), { what: 'the replica ends with its gateway' });

  const provider = await place.open();
  onEnd(t, () => provider.close());
  await eventually(() => !isAlive(stray), { what: 'the daemon is ended by the next gateway' });
  const watcher = createWatcher();
  provider.watch(watcher.observer);
  await watcher.untilReady(ref);
  assert.equal((await watcher.call(ref, { method: 'POST', body: '6 * 7' })).text, '{"value":42}');
  const runDirs = await readdir(place.runDir);
  assert.equal(runDirs.filter((name) => name.startsWith('sluice-')).length, 1, runDirs.join(' '));
});

test('a process that left its replica’s group ends with the replica', async (t) => {
  const { provider, run, evaluate } = await setUp(t);
  await run('fn', evaluator);
  const { value } = await evaluate(ref, daemon);
  const [, stray = 0] = value as number[];
  assert.ok(isAlive(stray));
  await provider.scale(ref, 0);
  await eventually(() => !isAlive(stray), { what: 'the daemon is gone' });
});

test('a provider that is closed leaves no process and no directory', async (t) => {
  const { place, provider, run, evaluate } = await setUp(t);
  await run('fn', evaluator);
  const { value } = await evaluate(ref, daemon);
  await provider.close();
  for (const pid of value as number[]) assert.equal(isAlive(pid), false, `process ${pid} is alive`);
  assert.deepEqual(await readdir(place.runDir), []);
});

test('an open that fails leaves no directory and no lock', async (t) => {
  const place = await makePlace();
  onEnd(t, () => place.remove());
  await assert.rejects(place.open({ runDir: '/nowhere/at/all' }), /nowhere/);
  await assert.rejects(place.open({ watchdogPath: '/nowhere/watchdog.js' }), { code: 'invalid' });
  const provider = await place.open();
  await provider.close();
});

test('a refused deployment leaves no row, no process and no directory', async (t) => {
  const { place, provider } = await setUp(t, { poolSize: 0 });
  const image = await putSource(provider.bundles, evaluator);
  const spec = { service: 'fn', namespace: defaultNamespace, image };
  await assert.rejects(provider.deploy({ ...spec, secrets: ['absent'] }), { code: 'invalid', message: /absent/ });
  await assert.rejects(provider.deploy({ ...spec, namespace: 'absent' }), { code: 'invalid', message: /absent/ });
  await assert.rejects(provider.deploy({ ...spec, image: 'nginx:latest' }), { code: 'invalid', message: /sluice up/ });
  assert.deepEqual(await provider.list(defaultNamespace), []);
  const [runDir = ''] = await readdir(place.runDir);
  const left = (await readdir(`${place.runDir}/${runDir}`)).filter((name) => /^[0-9a-f]{12}$/.test(name));
  assert.deepEqual(left, []);
});
