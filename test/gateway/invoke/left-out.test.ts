import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { call, type Rig, startRawUpstream, startRig, startUpstream } from './rig.ts';

const key = 'fn.openfaas-fn';
const readyIds = (rig: Rig): string[] | undefined => rig.table.get(key)?.ready.map(({ id }) => id);
const isReady = (rig: Rig, ...ids: string[]): Promise<unknown> =>
  eventually(() => readyIds(rig)?.sort().join() === ids.join(), { what: `${ids.join()} to have the calls` });

/** A server that can stop listening and begin again on its port; counts calls and probes. */
const startRefuser = async (t: TestContext) => {
  const seen = { calls: 0, probes: 0 };
  let server: Server | undefined;
  let port = 0;
  const begin = async (): Promise<void> => {
    const next = createServer((req, res) => {
      if (req.url === '/_/health') seen.probes += 1;
      else seen.calls += 1;
      res.end('refuser');
    });
    server = next;
    await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve));
    port = (next.address() as AddressInfo).port;
  };
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server?.close(() => resolve());
      server?.closeAllConnections();
    });
  await begin();
  onEnd(t, stop);
  return { address: { host: '127.0.0.1', port }, seen, begin, stop };
};

describe('an endpoint that refuses', () => {
  test('is left out, its calls go to another, and a probe brings it back', async (t) => {
    const rig = await startRig(t, { random: () => 0 });
    const refuser = await startRefuser(t);
    rig.ready(key, refuser.address, 'a');
    rig.ready(key, await startUpstream(t, (_req, res) => res.end('other')), 'b');
    assert.equal((await call(rig, '/function/fn')).text, 'refuser');
    await refuser.stop();
    assert.equal((await call(rig, '/function/fn', { method: 'POST', body: 'once' })).text, 'other');
    await isReady(rig, 'b');
    await refuser.begin();
    await isReady(rig, 'a', 'b');
    assert.ok(refuser.seen.probes >= 1);
    assert.deepEqual(new Set(rig.finished.map(({ status }) => status)), new Set([200]));
  });

  test('does not cost a call however many do, as long as one is there', async (t) => {
    const rig = await startRig(t);
    for (let i = 0; i < 12; i += 1) rig.ready(key, { host: '127.0.0.1', port: 1 }, `dead-${i}`);
    rig.ready(key, await startUpstream(t, (_req, res) => res.end('alive')), 'alive');
    for (let i = 0; i < 20; i += 1) assert.equal((await call(rig, '/function/fn')).text, 'alive');
  });

  test('is tried nevertheless when there is no other', async (t) => {
    const rig = await startRig(t);
    const refuser = await startRefuser(t);
    await refuser.stop();
    rig.ready(key, refuser.address, 'a');
    const waiting = call(rig, '/function/fn');
    await eventually(() => rig.table.get(key)?.ready[0]?.out, { what: 'the endpoint to be marked' });
    await refuser.begin();
    assert.equal((await waiting).text, 'refuser');
  });
});

describe('an endpoint that falls silent', () => {
  const watching = { everyMs: 20, quietMs: 60, probeMs: 80 };

  test('is left out, and is back when it answers again', async (t) => {
    const rig = await startRig(t, { random: () => 0, watching });
    const held: (() => void)[] = [];
    const stopped = await startUpstream(t, (_req, res) => held.push(() => res.end('late')));
    rig.ready(key, stopped, 'silent');
    rig.ready(key, await startUpstream(t, (_req, res) => res.end('other')), 'other');
    const first = call(rig, '/function/fn');
    await isReady(rig, 'other');
    assert.equal((await call(rig, '/function/fn')).text, 'other');
    for (const answer of held) answer();
    assert.equal((await first).text, 'late');
    await isReady(rig, 'other', 'silent');
  });

  test('is left alone when it is only slow', async (t) => {
    const rig = await startRig(t, { random: () => 0, watching });
    let probes = 0;
    const slow = await startUpstream(t, (req, res) => {
      if (req.url === '/_/health') {
        probes += 1;
        res.end();
      } else setTimeout(() => res.end('slow'), 500);
    });
    rig.ready(key, slow, 'slow');
    rig.ready(key, await startUpstream(t, (_req, res) => res.end('other')), 'other');
    const outs: boolean[] = [];
    const end = rig.table.subscribe((entry) => outs.push(...entry.ready.map(({ out }) => out)));
    assert.equal((await call(rig, '/function/fn')).text, 'slow');
    end();
    assert.equal(probes, 1);
    assert.deepEqual(readyIds(rig), ['slow', 'other']);
    assert.ok(!outs.includes(true));
  });

  test('keeps its calls when there is no other', async (t) => {
    const rig = await startRig(t, { watching, upstreamTimeoutMs: 400 });
    rig.ready(key, await startRawUpstream(t, () => {}), 'only');
    assert.equal((await call(rig, '/function/fn')).status, 504);
    assert.deepEqual(readyIds(rig), ['only']);
  });
});
