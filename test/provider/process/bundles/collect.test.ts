import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createBundles } from '../../../../provider/process/bundles/create-bundles.ts';
import { silent, temporaryDirectory } from '../store/fixture.ts';
import { body, bundle } from './archive.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.UTC(2026, 0, 1);

const setUp = (t: TestContext) => {
  const directory = temporaryDirectory(t);
  const clock = { nowMs: startMs };
  const make = () => createBundles({ dataDir: directory, maxBytes: 1_000_000, log: silent, now: () => clock.nowMs });
  return { directory, clock, make, bundles: make() };
};

const nothing: ReadonlySet<string> = new Set();

test('a bundle that nobody refers to goes after a day, without a trace', async (t) => {
  const { directory, bundles } = setUp(t);
  const { digest, bytes } = await bundle();
  await bundles.put(digest, body(bytes));
  await bundles.config(digest);
  assert.deepEqual(await bundles.collect(nothing, startMs + dayMs - 1), []);
  assert.deepEqual(await bundles.collect(nothing, startMs + dayMs + 1), [digest]);
  assert.equal(await bundles.has(digest), false);
  await assert.rejects(bundles.config(digest), { code: 'invalid', message: /no bundle/ });
  await assert.rejects(bundles.unpacked(digest), { code: 'invalid', message: /no bundle/ });
  assert.deepEqual(readdirSync(join(directory, 'bundles'), { recursive: true }), ['partial']);
});

test('a bundle in use stays, and its day begins when it no longer is', async (t) => {
  const { bundles } = setUp(t);
  const { digest, bytes } = await bundle();
  await bundles.put(digest, body(bytes));
  assert.deepEqual(await bundles.collect(new Set([digest]), startMs + 5 * dayMs), []);
  assert.deepEqual(await bundles.collect(nothing, startMs + 5 * dayMs + 23 * hourMs), []);
  assert.deepEqual(await bundles.collect(nothing, startMs + 6 * dayMs + 1), [digest]);
});

test('asking for a bundle gives it another day, also across a restart when it was the question of an upload', async (t) => {
  const { clock, bundles, make } = setUp(t);
  const { digest, bytes } = await bundle();
  await bundles.put(digest, body(bytes));
  clock.nowMs += 20 * hourMs;
  assert.equal(await bundles.has(digest), true);
  assert.deepEqual(await make().collect(nothing, startMs + 30 * hourMs), []);
  clock.nowMs += 20 * hourMs;
  await bundles.put(digest, body(bytes));
  assert.deepEqual(await make().collect(nothing, startMs + 50 * hourMs), []);
  clock.nowMs += 20 * hourMs;
  await bundles.config(digest);
  assert.deepEqual(await bundles.collect(nothing, startMs + 70 * hourMs), []);
});

test('a bundle that is collected can be put again at the same time', async (t) => {
  const { clock, bundles } = setUp(t);
  const { digest, bytes } = await bundle();
  for (let round = 0; round < 5; round += 1) {
    await bundles.put(digest, body(bytes));
    clock.nowMs += 2 * dayMs;
    const collecting = bundles.collect(nothing, clock.nowMs);
    await bundles.put(digest, body(bytes));
    await collecting;
    assert.equal(await bundles.has(digest), true);
    assert.ok(existsSync(join(await bundles.unpacked(digest), 'handler.js')));
  }
});

test('a sweep removes what a killed process left, and not what runs', async (t) => {
  const { directory, bundles } = setUp(t);
  const leftover = join(directory, 'bundles/partial/room-old/root');
  mkdirSync(leftover, { recursive: true });
  writeFileSync(join(leftover, 'half'), '');
  const { digest, bytes } = await bundle();
  let swept = false;
  const sweepInside = async (): Promise<void> => {
    if (!swept) await bundles.sweep();
    swept = true;
  };
  await bundles.put(digest, body(bytes, 1024, sweepInside));
  assert.equal(swept, true);
  assert.equal(await bundles.has(digest), true);
  assert.deepEqual(readdirSync(join(directory, 'bundles/partial')), []);
});

test('sweeping and collecting where no bundle ever was is fine', async (t) => {
  const { bundles } = setUp(t);
  await bundles.sweep();
  assert.deepEqual(await bundles.collect(nothing, startMs), []);
});
