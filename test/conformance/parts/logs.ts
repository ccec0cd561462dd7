// What functions print can be read back, and followed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogMessage } from '../../../provider/types/logs.ts';
import { defaultNamespace } from '../../../provider/types/name.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { type Bench, type MakeSubject, readLogs, rejects, setUp } from '../subject.ts';
import { patienceMs } from '../watcher.ts';

const ref = { name: 'fn', namespace: defaultNamespace };

const print = async (bench: Bench, text: string): Promise<string> => {
  const answer = await bench.watcher.call(ref, { method: 'POST', body: text });
  assert.equal(answer.text, 'printed');
  const last = text.split('\n').at(-1) ?? '';
  await eventually(async () => (await texts(bench)).includes(last), {
    what: `the line ${last} in the log`,
    timeoutMs: patienceMs,
  });
  return answer.endpoint.id;
};

const texts = async (bench: Bench, query: Parameters<typeof readLogs>[1] = ref): Promise<string[]> =>
  (await readLogs(bench.provider, query)).map((message) => message.text.trimEnd());

export const logConformance = (name: string, make: MakeSubject): void => {
  test(`${name}: fact 119: each line says which function and replica printed it, and when`, async (t) => {
    const bench = await setUp(t, make);
    await bench.running('fn', 'log');
    const startedMs = Date.now() - 1000;
    const id = await print(bench, 'first\nsecond ä');
    const message = (await readLogs(bench.provider, ref)).find((each) => each.text.trimEnd() === 'second ä');
    assert.deepEqual([message?.name, message?.namespace, message?.instance], ['fn', defaultNamespace, id]);
    assert.match(message?.timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
    assert.ok(Date.parse(message?.timestamp ?? '') >= startedMs);
  });

  test(`${name}: a tail gives the last lines in the order they were printed`, async (t) => {
    const bench = await setUp(t, make);
    await bench.running('fn', 'log');
    await print(bench, 'l1\nl2\nl3\nl4');
    assert.deepEqual(await texts(bench, { ...ref, tail: 2 }), ['l3', 'l4']);
    assert.deepEqual((await texts(bench)).slice(-4), ['l1', 'l2', 'l3', 'l4']);
  });

  test(`${name}: since leaves out what is older`, async (t) => {
    const bench = await setUp(t, make);
    await bench.running('fn', 'log');
    await print(bench, 'old');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const sinceMs = Date.now();
    await print(bench, 'new');
    assert.deepEqual(await texts(bench, { ...ref, sinceMs }), ['new']);
    assert.deepEqual(await texts(bench, { ...ref, sinceMs: Date.now() + 60_000 }), []);
  });

  test(`${name}: one replica's lines can be picked`, async (t) => {
    const bench = await setUp(t, make);
    await bench.running('fn', 'log');
    const id = await print(bench, 'mine');
    assert.ok((await texts(bench, { ...ref, instance: id })).includes('mine'));
    assert.deepEqual(await texts(bench, { ...ref, instance: 'nobody' }), []);
  });

  test(`${name}: fact 120: following gives new lines as they are printed, until the reader leaves`, async (t) => {
    const bench = await setUp(t, make);
    await bench.running('fn', 'log');
    await print(bench, 'before');
    const reader = new AbortController();
    const lines = bench.provider.logs({ ...ref, follow: true, tail: 1 }, reader.signal)[Symbol.asyncIterator]();
    const next = async (): Promise<string | undefined> => {
      const result: IteratorResult<LogMessage, void> = await within(lines.next(), 'a line', patienceMs);
      return result.done === true ? undefined : result.value.text.trimEnd();
    };
    assert.equal(await next(), 'before');
    const waiting = next();
    await print(bench, 'during');
    assert.equal(await waiting, 'during');
    const last = next();
    reader.abort();
    assert.equal(await last, undefined);
  });

  test(`${name}: a follower can leave in the middle`, async (t) => {
    const bench = await setUp(t, make);
    await bench.running('fn', 'log');
    await print(bench, 'a\nb\nc');
    const seen: string[] = [];
    for await (const message of bench.provider.logs({ ...ref, follow: true }, new AbortController().signal)) {
      seen.push(message.text);
      break;
    }
    assert.equal(seen.length, 1);
  });

  test(`${name}: lines of a replica that is gone are still there`, async (t) => {
    const bench = await setUp(t, make);
    await bench.running('fn', 'log');
    const id = await print(bench, 'remembered');
    await bench.provider.scale(ref, 0);
    await bench.watcher.untilReady(ref, 0);
    assert.ok((await texts(bench, { ...ref, instance: id })).includes('remembered'));
  });

  test(`${name}: an unknown function has no log`, async (t) => {
    const { provider } = await setUp(t, make);
    await rejects(readLogs(provider, { name: 'nobody', namespace: defaultNamespace }), 'not-found', 'nobody');
  });
};
