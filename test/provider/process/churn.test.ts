// Functions come and go, also at the same moment, and nothing of them stays.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pidsWithVariable, readProcesses } from '../../../provider/process/limits/proc.ts';
import type { FunctionSpec } from '../../../provider/types/function.ts';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { createRandom, takeSeed } from '../../helpers/random.ts';
import { evaluator, putSource, setUp } from './support/functions.ts';

const version = (text: string): string => `export const handler = () => new Response(${JSON.stringify(text)});`;

/** A blank watchdog may be on its way when one looks: its streams are three. What leaks in one start of twenty is more. */
const slack = 8;

const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

const resources = (): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
};

test('after 200 functions that came and went, handles, files, directories and memory are as before', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { place, provider, watcher } = await setUp(t, { poolSize: 2, startsAtOnce: 4 });
  const image = await putSource(provider.bundles, version('1'));

  /** One of five answers before it goes; the others go while they start. */
  const cycle = async (number: number): Promise<void> => {
    const ref = { name: `f${number}`, namespace: defaultNamespace };
    await provider.deploy({ service: ref.name, namespace: defaultNamespace, image });
    if (number % 5 === 0) await watcher.untilReady(ref, 1, 30_000);
    await provider.remove(ref);
  };
  const [runDir = ''] = await readdir(place.runDir);
  /** Replicas and blanks. */
  const directories = async (): Promise<number> =>
    (await readdir(join(place.runDir, runDir))).filter((name) => /^[0-9a-f]{12}$/.test(name)).length;
  /** The pool is full again and nothing else is left. */
  const settle = async () => {
    await eventually(async () => (await directories()) === 2, { what: 'two blank watchdogs and no replica', timeoutMs: 20_000 });
    const before = descriptors();
    await eventually(() => descriptors() <= before, { what: 'no more descriptors' });
    collect();
    return { descriptors: descriptors(), resources: resources(), heap: process.memoryUsage().heapUsed };
  };

  let count = 0;
  const cycles = async (total: number): Promise<void> => {
    const lane = async (): Promise<void> => {
      while (count < total) await cycle(count++);
    };
    await Promise.all([lane(), lane(), lane(), lane()]);
  };
  await cycles(20);
  const before = await settle();
  await cycles(220);
  const after = await settle();
  t.diagnostic(JSON.stringify({ before, after }));
  assert.ok(
    Math.abs(after.descriptors - before.descriptors) <= slack,
    `${before.descriptors} then ${after.descriptors} descriptors`,
  );
  for (const [name, number] of Object.entries(after.resources)) {
    assert.ok(number <= (before.resources[name] ?? 0) + slack, `${name}: ${before.resources[name]} then ${number}`);
  }
  // 200 functions that stayed would be some megabytes.
  assert.ok(after.heap - before.heap < 3_000_000, `${after.heap - before.heap} bytes more`);
});

test('commands at the same moment leave what the last of each function said, and nothing besides', async (t) => {
  const random = createRandom(takeSeed(t));
  const { place, provider, watcher } = await setUp(t, { poolSize: 1, startsAtOnce: 3, drainTimeoutMs: 1000, killGraceMs: 1000 });
  const images = await Promise.all(['1', '2', '3'].map((text) => putSource(provider.bundles, version(text))));
  images.push(await putSource(provider.bundles, "throw new Error('does not load');"));
  const namespaces = [defaultNamespace, 'blue'];
  await provider.namespaces.create({ name: 'blue', labels: {}, annotations: {} });
  const names = ['a', 'b', 'c'];
  const expected = new Set(['invalid', 'not-found', 'conflict']);

  const deed = (): Promise<unknown> => {
    const ref = { name: names[random.below(names.length)] ?? '', namespace: namespaces[random.below(2)] ?? '' };
    const image = images[random.below(images.length)] ?? '';
    const spec: FunctionSpec = { service: ref.name, namespace: ref.namespace, image };
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
        return provider.deploy(spec);
      case 3:
      case 4:
        return provider.update(spec);
      case 5:
        return provider.remove(ref);
      case 6:
        return provider.namespaces
          .remove('blue')
          .then(() => provider.namespaces.create({ name: 'blue', labels: {}, annotations: {} }));
      default:
        return provider.scale(ref, random.below(4));
    }
  };
  const lane = async (): Promise<void> => {
    for (let at = 0; at < 60; at += 1) {
      await deed().catch((error: { code?: string }) => assert.ok(expected.has(error.code ?? ''), String(error)));
      if (random.below(3) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(60)));
    }
  };
  await Promise.all(Array.from({ length: 6 }, lane));

  // What is left is what is stored, and one more command is obeyed as if nothing had been.
  const [last = ''] = images;
  for (const namespace of namespaces) {
    for (const { name } of await provider.list(namespace)) {
      const ref = { name, namespace };
      await provider.update({ service: name, namespace, image: last, envVars: { final: 'yes' } });
      await provider.scale(ref, 1);
      await eventually(async () => (await provider.get(ref))?.availableReplicas === 1, { what: `one replica of ${name}` });
      await eventually(async () => (await watcher.call(ref)).text === '1', { what: `${name} answers what it was given last` });
    }
  }
  const alive = (await Promise.all(namespaces.map((each) => provider.list(each)))).flat().length;
  const [runDir = ''] = await readdir(place.runDir);
  await eventually(
    async () => (await readdir(join(place.runDir, runDir))).filter((name) => /^[0-9a-f]{12}$/.test(name)).length === alive + 1,
    { what: `the directories of ${alive} replicas and one blank watchdog, and no more` },
  );
});

for (const poolSize of [0, 2]) {
  test(`closing while functions start leaves no process and no file (pool of ${poolSize})`, async (t) => {
    const { place, provider } = await setUp(t, { poolSize, startsAtOnce: 4 });
    const image = await putSource(provider.bundles, evaluator);
    for (let at = 0; at < 8; at += 1) await provider.deploy({ service: `f${at}`, namespace: defaultNamespace, image });
    const late = provider.deploy({ service: 'late', namespace: defaultNamespace, image }).catch(() => undefined);
    await within(provider.close(), 'closing', 15_000);
    await late;
    assert.deepEqual(await readdir(place.runDir), []);
    const left = await pidsWithVariable('SLUICE_REPLICA', () => true);
    const children = (await readProcesses()).filter(({ pid, parent }) => parent === process.pid && left.includes(pid));
    assert.deepEqual(children, []);
    // The same directory opens again, and all of them come back.
    const again = await place.open({ poolSize });
    assert.ok((await again.list(defaultNamespace)).length >= 8);
    await again.close();
  });
}
