// The small parts of the provider.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { createChains } from '../../../provider/kubernetes/chains.ts';
import { createHub } from '../../../provider/kubernetes/hub.ts';
import { type Probe, type ProbeResult, probe } from '../../../provider/kubernetes/probe.ts';
import { createQueue } from '../../../provider/kubernetes/queue.ts';
import { createReach, type ReachParts } from '../../../provider/kubernetes/reach.ts';
import { toLines } from '../../../provider/kubernetes/to-lines.ts';
import type { ProviderObserver } from '../../../provider/provider.ts';
import { within } from '../../helpers/eventually.ts';
import { listenTcp } from '../../helpers/listen.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const target = { host: '10.0.0.1', port: 8080, path: '/' };
const pod = { metadata: { name: 'fn-1', namespace: 'dev', uid: 'u1' } };

const startReach = (more: Partial<ReachParts>) => {
  const warnings: string[] = [];
  let result: ProbeResult = { kind: 'silent', detail: 'no answer', reached: false };
  const asked: Probe = async () => result;
  const log = { ...quiet, warn: (_fields: object, message: string) => void warnings.push(message) };
  const reach = createReach({ mode: 'auto', inside: false, config: new KubeConfig(), probe: asked, log, ...more });
  const ask = async (next: ProbeResult, times = 1): Promise<void> => {
    result = next;
    for (let i = 0; i < times; i += 1) await reach.probe(target, new AbortController().signal);
  };
  const isDirect = async (): Promise<boolean> => {
    const { host } = await reach.routeTo(pod, '10.0.0.1');
    reach.release(pod);
    return host === '10.0.0.1';
  };
  return { ask, isDirect, warnings };
};

const silent: ProbeResult = { kind: 'silent', detail: 'no answer within 1000ms', reached: false };
const refused: ProbeResult = { kind: 'refused', detail: 'connect ECONNREFUSED' };

test('pods that are silent from the beginning are reached through the API server, with one warning', async () => {
  const { ask, isDirect, warnings } = startReach({});
  await ask(silent, 2);
  assert.deepEqual([await isDirect(), warnings.length], [true, 0]);
  await ask(silent, 3);
  assert.deepEqual([await isDirect(), warnings.length], [false, 1]);
  assert.match(warnings[0] ?? '', /through the API server, slowly/);
});

test('a network that has answered once, if only by a refusal, is there for good', async () => {
  const { ask, isDirect } = startReach({});
  await ask(refused);
  await ask(silent, 10);
  assert.equal(await isDirect(), true);
});

test('a pod that takes connections and is too busy to answer has been reached, and no tunnel is needed', async (t) => {
  const { port } = await listenTcp(t, () => undefined);
  const busy = await probe({ host: '127.0.0.1', port, path: '/_/health' }, new AbortController().signal);
  assert.deepEqual(busy, { kind: 'silent', detail: 'no answer within 1000ms', reached: true });
  const { ask, isDirect, warnings } = startReach({});
  await ask(busy, 10);
  assert.deepEqual([await isDirect(), warnings.length], [true, 0]);
});

test('inside a cluster and when told so, pods are reached directly; tunnels are there when asked for', async () => {
  for (const more of [{ inside: true }, { mode: 'direct' as const }]) {
    const { ask, isDirect } = startReach(more);
    await ask(silent, 10);
    assert.equal(await isDirect(), true);
  }
  const { isDirect, warnings } = startReach({ mode: 'tunnel' });
  assert.deepEqual([await isDirect(), warnings.length], [false, 1]);
});

test('lines are put together from any pieces, characters of several bytes included', async () => {
  const bytes = Buffer.from('grün\n\nzwei\nrest');
  for (const size of [1, 2, 3, 100]) {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    assert.deepEqual(await Array.fromAsync(toLines(pieces())), ['grün', '', 'zwei', 'rest'], `${size} bytes at a time`);
  }
});

test('a full queue makes its writers wait, and its end lets everybody go', async () => {
  const ending = new AbortController();
  const queue = createQueue<number>(2, ending.signal);
  const written: number[] = [];
  const writing = (async () => {
    for (const item of [1, 2, 3]) {
      await queue.put(item);
      written.push(item);
    }
  })();
  await new Promise(setImmediate);
  assert.deepEqual(written, [1, 2]);
  assert.equal(await queue.take(), 1);
  await within(writing, 'the third');
  assert.deepEqual([await queue.take(), await queue.take()], [2, 3]);
  const waiting = queue.take();
  ending.abort();
  assert.equal(await within(waiting, 'the end'), undefined);
  await within(queue.pause(60_000), 'the end of a pause');
});

test('work on one key goes one after the other whatever becomes of it, on different keys at once', async () => {
  const chain = createChains();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = chain('a', async () => {
    await gate.promise;
    order.push('a1');
    throw new Error('failed');
  });
  const second = chain('a', async () => void order.push('a2'));
  await chain('b', async () => void order.push('b1'));
  gate.resolve();
  await assert.rejects(first, /failed/);
  await second;
  assert.deepEqual(order, ['b1', 'a1', 'a2']);
});

test('an observer that fails keeps nothing from the others, and a late one is told what is there', () => {
  const errors: string[] = [];
  const hub = createHub({ ...quiet, error: (_fields, message) => void errors.push(message) });
  const told: string[] = [];
  const observer = (name: string, broken = false): ProviderObserver => ({
    functionChanged: ({ ref }) => {
      if (broken) throw new Error('broken');
      told.push(`${name} ${ref.name}`);
    },
    functionRemoved: () => undefined,
    endpointReady: (_ref, { id }) => void told.push(`${name} ${id}`),
    endpointGone: async () => undefined,
    synced: () => void told.push(`${name} synced`),
  });
  const report = { ref: { name: 'fn', namespace: 'dev' }, revision: 'r', labels: {}, annotations: {}, replicas: 1 };
  hub.watch(observer('one', true), []);
  hub.watch(observer('two'), []);
  hub.functionChanged(report);
  hub.watch(observer('three'), [{ report, endpoints: [{ id: 'p1', revision: 'r', address: target }] }]);
  assert.deepEqual(told, ['one synced', 'two synced', 'two fn', 'three fn', 'three p1', 'three synced']);
  assert.deepEqual(errors, ['an observer of the provider failed']);
});
