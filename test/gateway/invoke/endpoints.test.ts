// Which replica gets a call, and what happens when it is not there, goes, or is replaced.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { onEnd } from '../../helpers/cleanup.ts';
import { call, startRawUpstream, startRig, startUpstream } from './rig.ts';

describe('endpoints', () => {
  test('a function on a unix socket answers', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-'));
    onEnd(t, () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => req.pipe(res), join(dir, 's')));
    assert.equal((await call(rig, '/function/fn', { method: 'POST', body: 'unix' })).text, 'unix');
  });

  test('a refused connection is tried on another endpoint, with its body', async (t) => {
    const rig = await startRig(t, { random: () => 0 });
    rig.report('fn.openfaas-fn');
    rig.ready('fn.openfaas-fn', { socketPath: '/nowhere/s' }, 'dead');
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => req.pipe(res)), 'alive');
    for (const body of ['small', 'x'.repeat(300_000)]) {
      const answer = await call(rig, '/function/fn', { method: 'POST', body });
      assert.equal(answer.status, 200);
      assert.equal(answer.text, body);
    }
    assert.deepEqual(
      rig.finished.map((each) => each.status),
      [200, 200],
    );
  });

  test('a call whose only endpoint refuses waits for the next one', async (t) => {
    const rig = await startRig(t);
    const address = await startUpstream(t, (_req, res) => res.end('next'));
    rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: 1 }, 'dead');
    setTimeout(() => {
      void rig.gone('fn.openfaas-fn', 'dead');
      setTimeout(() => rig.ready('fn.openfaas-fn', address), 20);
    }, 10);
    assert.equal((await call(rig, '/function/fn')).text, 'next');
  });

  test('an endpoint that goes on refusing is 502', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: 1 });
    const answer = await call(rig, '/function/fn');
    assert.equal(answer.status, 502);
    assert.match(answer.text, /could not be reached/);
  });

  test('a request that reached an endpoint is never sent again', async (t) => {
    const rig = await startRig(t);
    let requests = 0;
    const raw = await startRawUpstream(t, (socket) =>
      socket.once('data', () => {
        requests += 1;
        socket.destroy();
      }),
    );
    rig.ready('fn.openfaas-fn', raw, 'a');
    rig.ready('fn.openfaas-fn', raw, 'b');
    assert.equal((await call(rig, '/function/fn')).status, 502);
    assert.equal(requests, 1);
  });

  test('an endpoint that goes away gets no new calls and is gone when its last call has ended', async (t) => {
    const rig = await startRig(t);
    const arrived = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, async (_req, res) => {
        arrived.resolve();
        await finish.promise;
        res.end('old');
      }),
      'old',
    );
    const running = call(rig, '/function/fn');
    await arrived.promise;
    let gone = false;
    const drained = rig.gone('fn.openfaas-fn', 'old').then(() => {
      gone = true;
    });
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end('new')), 'new');
    assert.equal((await call(rig, '/function/fn')).text, 'new');
    await delay(20);
    assert.equal(gone, false);
    finish.resolve();
    assert.equal((await running).text, 'old');
    await drained;
  });

  test('a new revision takes all calls when its first endpoint is ready, and not before', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end('one')), 'a', 'r1');
    rig.report('fn.openfaas-fn', { revision: 'r2' });
    assert.equal((await call(rig, '/function/fn')).text, 'one');
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end('two')), 'b', 'r2');
    for (let i = 0; i < 5; i += 1) assert.equal((await call(rig, '/function/fn')).text, 'two');
    assert.deepEqual(rig.table.get('fn.openfaas-fn')?.route, [['r2', 100]]);
  });

  test('a burst of fresh connections to a unix socket is served whole', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-'));
    onEnd(t, () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => setTimeout(() => res.end('ok'), 50), join(dir, 's')));
    const answers = await Promise.all(Array.from({ length: 1500 }, () => call(rig, '/function/fn')));
    assert.deepEqual(new Set(answers.map((each) => each.status)), new Set([200]));
  });
});
