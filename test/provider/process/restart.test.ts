// What comes back after a restart, and in what order; and what happens when the process that starts processes ends.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { createWatcher } from '../../conformance/watcher.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { evaluator, putSource, setUp } from './support/functions.ts';

test('after a restart functions that were called last come back first', async (t) => {
  let nowMs = Date.now();
  const { place, provider, watcher, run } = await setUp(t, { now: () => nowMs });
  for (const name of ['never', 'early', 'late']) await run(name, evaluator);
  for (const name of ['early', 'late']) {
    const ref = { name, namespace: defaultNamespace };
    await provider.scale(ref, 0);
    nowMs += 1000;
    await provider.scale(ref, 1);
    await watcher.untilReady(ref);
  }
  await provider.close();

  const again = await place.open({ startsAtOnce: 1, poolSize: 0 });
  onEnd(t, () => again.close());
  const later = createWatcher();
  again.watch(later.observer);
  await later.until('three endpoints', () => later.events.filter((event) => event.kind === 'ready').length === 3);
  const order = later.events.flatMap((event) => (event.kind === 'ready' ? [event.key.split('.')[0]] : []));
  assert.deepEqual(order, ['late', 'early', 'never']);
});

test('after a restart functions that sleep wake when they are asked to, also one that was not looked at yet', async (t) => {
  const { place, provider, run } = await setUp(t);
  const names = Array.from({ length: 30 }, (_, at) => `f${at}`);
  const image = await putSource(provider.bundles, evaluator);
  const refOf = (name: string) => ({ name, namespace: defaultNamespace });
  await run('awake', evaluator);
  await Promise.all(names.map((name) => provider.deploy({ service: name, namespace: defaultNamespace, image })));
  await Promise.all(names.map((name) => provider.scale(refOf(name), 0)));
  await provider.close();

  const again = await place.open({ startsAtOnce: 2, poolSize: 0 });
  onEnd(t, () => again.close());
  const later = createWatcher();
  again.watch(later.observer);
  // The last of them within the call that brought them back, the first after all of them were looked at.
  await again.scale(refOf('f29'), 1);
  await later.untilReady(refOf('f29'));
  await later.untilReady(refOf('awake'));
  await again.scale(refOf('f0'), 1);
  await later.untilReady(refOf('f0'));
  const ready = later.events.flatMap((event) => (event.kind === 'ready' ? [event.key.split('.')[0]] : []));
  assert.deepEqual(ready.toSorted(), ['awake', 'f0', 'f29']);
});

const findSpawner = (runDir: string): number | undefined =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return command.includes(runDir) && command.includes('spawner/main');
      } catch {
        return false;
      }
    });

test('when the process that starts functions ends, running ones go on and new ones start', {
  skip: process.platform === 'linux' ? false : 'finds the process in /proc',
}, async (t) => {
  const { place, provider, watcher, run, evaluate } = await setUp(t, { poolSize: 0 });
  const ref = await run('fn', evaluator);
  const spawner = findSpawner(place.runDir);
  assert.ok(spawner !== undefined);
  process.kill(spawner, 'SIGKILL');
  await eventually(() => findSpawner(place.runDir) !== spawner, { what: 'the spawner is gone' });
  assert.equal((await evaluate(ref, '1 + 1')).value, 2);
  await provider.scale(ref, 2);
  await watcher.untilReady(ref, 2);
  // Nobody is left to say how the first one ended; that it did is still noticed.
  const [first] = watcher.endpoints(ref);
  await evaluate(ref, 'void setTimeout(() => process.exit(1), 10)');
  const gone = await watcher.until('an endpoint gone', () => watcher.events.find((event) => event.kind === 'gone'));
  assert.equal(gone.kind === 'gone' && gone.endpointId, first?.id);
});
