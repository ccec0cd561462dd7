// Replicas that end, hang or flood, and what is told about them.
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLogs } from '../../conformance/subject.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { evaluator, setUp } from './support/functions.ts';

const hang = 'await new Promise(() => setInterval(() => {}, 1000)); export const handler = () => new Response();';
const crash = "throw new Error('boom at load'); export const handler = () => new Response();";
const quick = { stableMs: 10_000, firstMs: 60, factor: 2, maxMs: 200 };

test('a function that never becomes ready is reported with its time limit', async (t) => {
  const { watcher, deploy } = await setUp(t, { readyTimeoutMs: 400 });
  const ref = await deploy('fn', hang);
  const failure = await watcher.until('the failure', () => watcher.report(ref)?.failure);
  assert.equal(failure.reason, 'NeverReady');
  assert.match(failure.message, /0\.4 s/);
});

test("a function's own ready_timeout limits its start, whatever it does meanwhile", async (t) => {
  const { watcher, deploy } = await setUp(t);
  const ref = await deploy('fn', 'for (;;);', { envVars: { ready_timeout: '200ms' } });
  const failure = await watcher.until('the failure', () => watcher.report(ref)?.failure);
  assert.equal(failure.reason, 'NeverReady');
  assert.match(failure.message, /ready_timeout of 0\.2 s/);
});

test('starts that hang do not keep other functions from starting', async (t) => {
  const { deploy, run } = await setUp(t, { startsAtOnce: 1 });
  await deploy('hangs', hang);
  await run('fn', evaluator);
});

test('a function that exits again and again is in a crash loop with its code, last words and next try', async (t) => {
  const { watcher, provider, deploy } = await setUp(t, { backoff: quick });
  const ref = await deploy(
    'fn',
    "setTimeout(() => { console.error('out of luck'); process.exit(7); }, 20); export const handler = () => new Response();",
  );
  const failure = await watcher.until('the crash loop', () => {
    const current = watcher.report(ref)?.failure;
    return current?.reason === 'CrashLoop' ? current : undefined;
  });
  assert.match(failure.message, /exited with code 7/);
  assert.ok((failure.retryAtMs ?? 0) > 0);
  const texts = (await readLogs(provider, ref)).map((line) => line.text);
  assert.ok(texts.includes('out of luck\n'), texts.join(''));
  assert.ok(
    texts.some((text) => text.startsWith('sluice: started')) && texts.some((text) => text.startsWith('sluice: Exited')),
    texts.join(''),
  );
});

test('a wake-up during the back-off neither resets it nor hides the failure', async (t) => {
  const { watcher, provider, deploy } = await setUp(t, { backoff: { ...quick, firstMs: 60_000, maxMs: 60_000 } });
  const ref = await deploy('fn', crash);
  const failure = await watcher.until('the failure', () => watcher.report(ref)?.failure);
  await provider.scale(ref, 0);
  await provider.scale(ref, 1);
  assert.deepEqual(watcher.report(ref)?.failure, failure);
  assert.equal((await provider.get(ref))?.availableReplicas ?? 0, 0);
});

test('deploying again what fails starts it at once, whatever is left of its pause', async (t) => {
  const { watcher, provider, deploy } = await setUp(t, { backoff: { ...quick, firstMs: 60_000, maxMs: 60_000 } });
  const dir = await makeTmpDir(t);
  await chmod(dir, 0o755);
  const needed = join(dir, 'needed');
  const source = `import { statSync } from 'node:fs'; statSync(${JSON.stringify(needed)}); export const handler = () => new Response('ok');`;
  const ref = await deploy('fn', source);
  const failure = await watcher.until('the failure', () => watcher.report(ref)?.failure);
  assert.equal(failure.reason, 'LoadFailed');
  const image = (await provider.get(ref))?.image ?? '';
  await writeFile(needed, '');
  await provider.update({ service: 'fn', namespace: ref.namespace, image });
  assert.equal(watcher.report(ref)?.failure, undefined, 'the old failure is no word on the new try');
  await watcher.untilReady(ref);
});

test('at zero a failure is forgotten once a call would try again', async (t) => {
  const { watcher, provider, deploy } = await setUp(t, { backoff: { ...quick, firstMs: 150 } });
  const ref = await deploy('fn', crash);
  await watcher.until('the failure', () => watcher.report(ref)?.failure);
  await provider.scale(ref, 0);
  await watcher.until('no failure', () => watcher.report(ref)?.failure === undefined);
  const ready = (await provider.get(ref))?.conditions?.find((condition) => condition.type === 'Ready');
  assert.deepEqual([ready?.status, ready?.reason], ['True', 'AtZero']);
});

test('a failure is reported as soon as the process has ended', async (t) => {
  const { watcher, run, evaluate } = await setUp(t);
  const ref = await run('fn', evaluator);
  await evaluate(ref, 'void setTimeout(() => process.exit(9), 30)');
  await watcher.until('the endpoint gone', () => watcher.endpoints(ref).length === 0);
  const gone = performance.now();
  const failure = await watcher.until('the failure', () => watcher.report(ref)?.failure);
  const tookMs = performance.now() - gone;
  assert.match(failure.message, /code 9/);
  assert.ok(tookMs < 2000, `${tookMs} ms`);
});

test('an update that changes nothing a process depends on starts no replica anew', async (t) => {
  const { watcher, provider, run } = await setUp(t);
  const ref = await run('fn', evaluator);
  const [before] = watcher.endpoints(ref);
  const image = (await provider.get(ref))?.image ?? '';
  await provider.update({ service: 'fn', namespace: ref.namespace, image, annotations: { topic: 'a' }, labels: { x: 'y' } });
  assert.equal(watcher.report(ref)?.annotations.topic, 'a');
  assert.deepEqual(watcher.endpoints(ref), [before]);
});

test('a function that floods its output does not stop the event loop', async (t) => {
  const { watcher, provider, run } = await setUp(t);
  const flood =
    "export const handler = () => { const line = 'x'.repeat(200) + '\\n'; setInterval(() => { for (let i = 0; i < 2000; i += 1) process.stdout.write(line); }, 1); return new Response('ok'); };";
  const ref = await run('fn', flood);
  await watcher.call(ref);
  const { resourceUsage } = process;
  const before = resourceUsage.call(process);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = resourceUsage.call(process);
  const busyMs = (after.userCPUTime - before.userCPUTime + after.systemCPUTime - before.systemCPUTime) / 1000;
  assert.ok(busyMs < 350, `${busyMs} ms of 500 ms`);
  assert.ok((await readLogs(provider, ref)).length <= 2000);
});

test('many starts at once are started in turn, and all of them answer', async (t) => {
  const { watcher, provider, run } = await setUp(t, { startsAtOnce: 3, poolSize: 1 });
  const ref = await run('fn', evaluator);
  await provider.scale(ref, 8);
  const endpoints = await watcher.untilReady(ref, 8);
  assert.equal(new Set(endpoints.map((endpoint) => endpoint.id)).size, 8);
});

test('replicas run with a small young generation, and with that of their NODE_OPTIONS where they have one', async (t) => {
  const { run, evaluate } = await setUp(t);
  const flags = `process.execArgv.join(' ')`;
  assert.match(String((await evaluate(await run('plain', evaluator), flags)).value), /--max-semi-space-size=8/);
  const own = await run('own', evaluator, { envVars: { NODE_OPTIONS: '--max-semi-space-size=4' } });
  assert.doesNotMatch(String((await evaluate(own, flags)).value), /semi/);
});
