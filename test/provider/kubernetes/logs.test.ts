// Logs of pods that are there, come, go and crash, from an API that says what it was asked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi, Query } from '../../../provider/kubernetes/api.ts';
import { KubeError } from '../../../provider/kubernetes/errors.ts';
import type { LogsParts } from '../../../provider/kubernetes/log-lines.ts';
import { readLogs } from '../../../provider/kubernetes/logs.ts';
import type { ContainerStatus, Pod } from '../../../provider/kubernetes/objects.ts';
import type { LogQuery } from '../../../provider/types/logs.ts';
import { eventually, within } from '../../helpers/eventually.ts';

const nowMs = Date.parse('2030-01-01T01:00:00Z');
/** So many seconds before now, with the nanoseconds of Kubernetes. */
const at = (secondsAgo: number): string => new Date(nowMs - secondsAgo * 1000).toISOString().replace('Z', '000000Z');
const line = (secondsAgo: number, text: string): string => `${at(secondsAgo)} ${text}\n`;

const podOf = (name: string, status: Partial<ContainerStatus> = {}): Pod => ({
  metadata: { name, namespace: 'dev', uid: `uid-${name}`, labels: { faas_function: 'fn' } },
  spec: { containers: [{ name: 'fn', image: 'fn:1' }, { name: 'proxy' }] },
  status: { containerStatuses: [{ name: 'fn', restartCount: 0, ...status }] },
});

/** What one log of a pod gives: pieces of text, an error, or a wait for the end of the reading. */
type Piece = string | Error | 'open';

class Logs {
  readonly asked: { pod: string; query: Query }[] = [];
  /** By pod; `!` behind the name for the run before. Each reading takes the next list, the last one stays. */
  readonly of = new Map<string, Piece[][]>();
  open = 0;

  readonly api = {
    stream: async (path: string, options: { query?: Query; signal?: AbortSignal } = {}) => {
      const pod = path.split('/').at(-2) as string;
      const { query = {} } = options;
      this.asked.push({ pod, query });
      const name = query.previous === true ? `${pod}!` : pod;
      const lists = this.of.get(name);
      if (lists === undefined) throw new KubeError(400, 'BadRequest', 'the container has not begun');
      const pieces = (lists.length > 1 ? lists.shift() : lists[0]) ?? [];
      const [first] = pieces;
      if (first instanceof Error) throw first;
      return this.#read(pieces, options.signal);
    },
  } as unknown as KubeApi;

  async *#read(pieces: readonly Piece[], signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    this.open += 1;
    try {
      for (const piece of pieces) {
        if (piece instanceof Error) throw piece;
        if (piece === 'open') await sleep(60_000, undefined, { ...(signal === undefined ? {} : { signal }), ref: false });
        else yield Buffer.from(piece);
      }
    } finally {
      this.open -= 1;
    }
  }
}

const setUp = (...pods: Pod[]) => {
  const logs = new Logs();
  const listeners = new Set<() => void>();
  const present = [...pods];
  const parts: LogsParts = {
    api: logs.api,
    pods: () => present,
    onPods: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now: () => nowMs,
  };
  const come = (pod: Pod): void => {
    present.push(pod);
    for (const listener of listeners) listener();
  };
  const go = (name: string): void => {
    const index = present.findIndex(({ metadata }) => metadata.name === name);
    if (index !== -1) present.splice(index, 1);
    for (const listener of listeners) listener();
  };
  const read = (query: Partial<LogQuery> = {}, signal = new AbortController().signal) =>
    readLogs(parts, { name: 'fn', namespace: 'dev', follow: false, ...query }, signal);
  return { logs, read, come, go, listeners };
};

const texts = async (lines: AsyncIterable<{ text: string }>): Promise<string[]> => {
  const all: string[] = [];
  for await (const { text } of lines) all.push(text.trimEnd());
  return all;
};

test('lines of all pods come in the order of their times, with the name of their pod', async () => {
  const { logs, read } = setUp(podOf('a'), podOf('b'));
  logs.of.set('a', [[line(30, 'a1'), line(10, 'a2')]]);
  logs.of.set('b', [[line(20, 'b1') + line(5, 'b2').slice(0, 12), line(5, 'b2').slice(12)]]);
  const lines = await Array.fromAsync(read());
  assert.deepEqual(
    lines.map(({ text, instance }) => `${instance} ${text.trimEnd()}`),
    ['a a1', 'b b1', 'a a2', 'b b2'],
  );
  assert.deepEqual(lines[0], { name: 'fn', namespace: 'dev', instance: 'a', timestamp: at(30), text: 'a1\n' });
  assert.equal(logs.asked[0]?.query.container, 'fn');
});

test('fact 123: without tail and since the last five minutes are read', async () => {
  const { logs, read } = setUp(podOf('a'));
  logs.of.set('a', [[line(301, 'old'), line(299, 'new')]]);
  assert.deepEqual(await texts(read()), ['new']);
  assert.equal(logs.asked[0]?.query.sinceTime, '2030-01-01T00:55:00.000Z');
});

test('a tail is the last lines over all pods, however old', async () => {
  const { logs, read } = setUp(podOf('a'), podOf('b'));
  logs.of.set('a', [[line(9000, 'a1'), line(40, 'a2'), line(10, 'a3')]]);
  logs.of.set('b', [[line(8000, 'b1'), line(30, 'b2')]]);
  assert.deepEqual(await texts(read({ tail: 2 })), ['b2', 'a3']);
  assert.deepEqual([logs.asked[0]?.query.tailLines, logs.asked[0]?.query.sinceTime], [2, undefined]);
  assert.deepEqual(await texts(read({ tail: 100 })), ['a1', 'b1', 'a2', 'b2', 'a3']);
});

test('the lines of one instance can be picked, also of one that came back', async () => {
  const { logs, read } = setUp(podOf('a'), podOf('b'));
  logs.of.set('a', [[line(3, 'a1')]]);
  logs.of.set('b', [[line(2, 'b1')]]);
  assert.deepEqual(await texts(read({ instance: 'b/2' })), ['b1']);
});

test('the run before, how it ended and the present run follow each other', async () => {
  const finishedAt = at(20).replace('000000000Z', '000Z');
  const terminated = { exitCode: 3, reason: 'Error', finishedAt };
  const { logs, read } = setUp(podOf('a', { restartCount: 1, lastState: { terminated } }));
  logs.of.set('a!', [[line(30, 'before'), line(20, 'boom')]]);
  logs.of.set('a', [[line(10, 'again')]]);
  assert.deepEqual(await texts(read()), ['before', 'boom', 'sluice: the function exited with code 3 (Error)', 'again']);
});

test('a run that both questions are about is shown once', async () => {
  const terminated = { exitCode: 1, finishedAt: '2030-01-01T00:59:40Z' };
  const { logs, read } = setUp(podOf('a', { restartCount: 1, state: { terminated } }));
  const run = [line(30, 'hello'), line(20, 'boom')];
  logs.of.set('a!', [run]);
  logs.of.set('a', [run]);
  assert.deepEqual(await texts(read()), ['hello', 'boom', 'sluice: the function exited with code 1']);
});

test('a pod whose container has not begun has no lines, and a refusal is an error', async () => {
  const { logs, read } = setUp(podOf('a'), podOf('b'));
  logs.of.set('b', [[line(2, 'b1')]]);
  assert.deepEqual(await texts(read()), ['b1']);
  logs.of.set('a', [[new KubeError(403, 'Forbidden', 'pods/log is forbidden')]]);
  await assert.rejects(texts(read()), { code: 'forbidden', message: /logs of function "fn".*pods\/log is forbidden/ });
});

test('a reader that leaves in the middle of a long log ends all readings', async () => {
  const { logs, read } = setUp(podOf('a'), podOf('b'));
  const endless = (name: string): Piece[] => [
    ...Array.from({ length: 100 }, (_, index) => line(200 - index, `${name}${index}`)),
    'open',
  ];
  logs.of.set('a', [endless('a')]);
  logs.of.set('b', [endless('b')]);
  const seen: string[] = [];
  for await (const { text } of read()) if (seen.push(text) === 5) break;
  assert.deepEqual(seen, ['a0\n', 'b0\n', 'a1\n', 'b1\n', 'a2\n']);
  await eventually(() => logs.open === 0, { what: 'the end of the readings' });
});

test('fact 120: pods that come and go while logs are followed are heard, and a cut is read again from where it was', async () => {
  const { logs, read, come, go, listeners } = setUp(podOf('a'));
  logs.of.set('a', [
    [line(20, 'a1'), new Error('cut')],
    [line(20, 'a1') + line(10, 'a2'), 'open'],
  ]);
  logs.of.set('b', [[line(5, 'b1'), 'open']]);
  logs.of.set('c', [[line(4, 'c1'), 'open']]);
  const leaving = new AbortController();
  const lines = read({ follow: true }, leaving.signal);
  const next = async (): Promise<string | undefined> => (await within(lines.next(), 'a line')).value?.text;
  assert.deepEqual([await next(), await next()], ['a1\n', 'a2\n']);
  assert.equal(logs.asked[1]?.query.sinceTime, at(20));
  come(podOf('b'));
  assert.equal(await next(), 'b1\n');
  go('a');
  come(podOf('c'));
  assert.equal(await next(), 'c1\n');
  leaving.abort();
  assert.equal((await within(lines.next(), 'the end')).done, true);
  assert.equal(listeners.size, 0);
});

test('following a log that may not be read ends with the refusal', async () => {
  const { logs, read } = setUp(podOf('a'));
  logs.of.set('a', [[new KubeError(403, 'Forbidden', 'pods/log is forbidden')]]);
  await assert.rejects(within(texts(read({ follow: true })), 'the refusal'), { code: 'forbidden' });
});
