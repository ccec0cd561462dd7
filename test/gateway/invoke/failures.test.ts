// Calls that do not end well: who is told what, and what is cut.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { eventually } from '../../helpers/eventually.ts';
import { call, exchange, type Handler, startRawUpstream, startRig, startUpstream } from './rig.ts';

describe('failures', () => {
  test('fact 34: an unknown function is 404 without call id, asked of the provider once a second', async (t) => {
    const rig = await startRig(t);
    const answers = await Promise.all([1, 2, 3].map(() => call(rig, '/function/nobody')));
    answers.push(await call(rig, '/function/nobody'));
    for (const { status, headers, text } of answers) {
      assert.equal(status, 404);
      assert.equal(text, 'function nobody not found in namespace openfaas-fn\n');
      assert.equal(headers['x-call-id'], undefined);
      assert.equal(headers['x-served-by'], undefined);
      assert.equal(headers['x-error-code'], 'not-found');
      assert.equal(headers['x-openfaas-internal'], 'gateway');
    }
    assert.deepEqual(rig.looked, ['nobody.openfaas-fn']);
    assert.deepEqual(rig.started, [], 'fact 135: no series for functions that are not there');
  });

  test('a function that only the provider knows yet is called when the table hears of it', async (t) => {
    const rig = await startRig(t);
    const address = await startUpstream(t, (_req, res) => res.end('new'));
    rig.provider.get = async () => {
      setTimeout(() => rig.ready('new.openfaas-fn', address), 10);
      return { name: 'new', image: 'i', namespace: 'openfaas-fn', createdAt: '' };
    };
    assert.equal((await call(rig, '/function/new')).text, 'new');
  });

  test('a provider that is down is 503, not 404', async (t) => {
    const rig = await startRig(t);
    rig.provider.get = async () => {
      throw new Error('connection refused');
    };
    assert.equal((await call(rig, '/function/fn')).status, 503);
  });

  test('fact 36: a function that drops the connection before its answer is 502 with the reason, as JSON when asked', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startRawUpstream(t, (socket) => socket.once('data', () => socket.destroy())));
    const answer = await call(rig, '/function/fn');
    assert.equal(answer.status, 502);
    assert.equal(answer.headers['x-openfaas-internal'], 'gateway');
    assert.equal(answer.headers['x-error-code'], 'upstream');
    assert.ok(answer.headers['x-call-id']);
    const json = await call(rig, '/function/fn', { headers: { Accept: 'application/json' }, method: 'POST', body: 'x' });
    assert.equal(JSON.parse(json.text).error.code, 'upstream');
    assert.deepEqual(
      rig.finished.map((each) => each.status),
      [502, 502],
    );
  });

  test('an answer that is no HTTP, or a head that cannot be passed on, is 502', async (t) => {
    const rig = await startRig(t);
    for (const text of [
      'garbage\r\n\r\n',
      'HTTP/1.1 099 Low\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ]) {
      rig.ready('fn.openfaas-fn', await startRawUpstream(t, (socket) => socket.once('data', () => socket.end(text))), text);
      assert.equal((await call(rig, '/function/fn')).status, 502, text);
      await rig.gone('fn.openfaas-fn', text);
    }
  });

  for (const [kind, head] of [
    ['of known length', 'Content-Length: 100'],
    ['chunked', 'Transfer-Encoding: chunked'],
  ] as const) {
    test(`an answer ${kind} that breaks off cuts the client's connection`, async (t) => {
      const rig = await startRig(t);
      rig.ready(
        'fn.openfaas-fn',
        await startRawUpstream(t, (socket) =>
          socket.once('data', () => {
            socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n5\r\nhello\r\n`);
            setTimeout(() => socket.destroy(), 30);
          }),
        ),
      );
      await assert.rejects(call(rig, '/function/fn'), /aborted|socket hang up|ECONNRESET/);
      assert.equal(rig.table.get('fn.openfaas-fn')?.inFlight, 0);
      assert.deepEqual(rig.cuts, ['fn.openfaas-fn running']);
    });
  }

  test('calls that a replica does not finish on its way out are counted as such, whoever answers for it', async (t) => {
    const rig = await startRig(t);
    const key = 'fn.openfaas-fn';
    let end: (socket: Socket) => void = () => undefined;
    const asked: (() => void)[] = [];
    const address = await startRawUpstream(t, (socket) => socket.once('data', () => asked.push(() => end(socket))));
    rig.ready(key, address, 'old');
    const calls = [call(rig, '/function/fn'), call(rig, '/function/fn'), call(rig, '/function/fn')];
    await eventually(() => asked.length === 3, { what: 'three calls' });
    const gone = rig.gone(key, 'old');
    end = (socket) =>
      socket.end('HTTP/1.1 500 Internal Server Error\r\nX-OpenFaaS-Internal: of-watchdog\r\nContent-Length: 0\r\n\r\n');
    asked[0]?.();
    end = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
    asked[1]?.();
    end = (socket) => socket.end('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n');
    asked[2]?.();
    await Promise.allSettled(calls);
    await gone;
    assert.deepEqual(rig.cuts, [`${key} ending`, `${key} ending`], "the function's own 500 is none");
  });

  test('fact 38: a function slower than the limit is 504, which names hop and limit, and its request is aborted', async (t) => {
    const rig = await startRig(t, { upstreamTimeoutMs: 80 });
    const aborted = Promise.withResolvers<void>();
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req) => req.once('close', aborted.resolve)));
    const answer = await call(rig, '/function/fn');
    assert.equal(answer.status, 504);
    assert.match(answer.text, /fn\.openfaas-fn .* 80ms.* gateway/);
    assert.ok(answer.headers['x-call-id']);
    await aborted.promise;
  });

  test('calls that are cut at a limit, here or by the watchdog, are noted until the function is changed', async (t) => {
    const rig = await startRig(t, { upstreamTimeoutMs: 50 });
    const key = 'fn.openfaas-fn';
    let answering: Handler = () => undefined;
    rig.ready(key, await startUpstream(t, (req, res) => answering(req, res)));
    await call(rig, '/function/fn');
    assert.deepEqual([rig.table.get(key)?.timeouts?.count, rig.table.get(key)?.timeouts?.text.includes('50ms')], [1, true]);
    answering = (_req, res) => res.writeHead(504, { 'X-OpenFaaS-Internal': 'watchdog' }).end('within exec_timeout of 9s\n');
    await call(rig, '/function/fn');
    assert.deepEqual([rig.table.get(key)?.timeouts?.count, rig.table.get(key)?.timeouts?.text], [2, 'within exec_timeout of 9s']);
    answering = (_req, res) => res.writeHead(504).end('my own');
    await call(rig, '/function/fn');
    assert.equal(rig.table.get(key)?.timeouts?.count, 2);
    rig.report(key, { revision: 'next' });
    assert.equal(rig.table.get(key)?.timeouts, undefined);
  });

  test("a function's own timeout goes before the gateway's, and cuts an answer that has begun", async (t) => {
    const rig = await startRig(t, { upstreamTimeoutMs: 10_000 });
    rig.report('fn.openfaas-fn', { annotations: { 'sluice.dev/timeout': '100ms' } });
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.write('begun')));
    await assert.rejects(call(rig, '/function/fn'), /aborted/);
    assert.deepEqual(
      rig.finished.map((each) => each.status),
      [200],
    );
  });

  test('a client that leaves ends the request to the function at once', async (t) => {
    const rig = await startRig(t);
    const called = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req) => {
        called.resolve();
        req.once('close', aborted.resolve);
      }),
    );
    const req = request({ port: rig.port, host: '127.0.0.1', path: '/function/fn', agent: false }).on('error', () => {});
    req.end();
    await called.promise;
    req.destroy();
    await aborted.promise;
    assert.equal(rig.table.get('fn.openfaas-fn')?.inFlight, 0);
    assert.deepEqual(
      rig.finished.map((each) => each.status),
      [499],
    );
  });

  test('a client that leaves in the middle of its upload ends the request to the function', async (t) => {
    const rig = await startRig(t);
    const called = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req) => {
        req.resume();
        req.once('data', () => called.resolve());
        req.once('close', aborted.resolve);
        req.on('error', () => {});
      }),
    );
    const req = request({
      port: rig.port,
      host: '127.0.0.1',
      path: '/function/fn',
      method: 'POST',
      headers: { 'Content-Length': 1000 },
      agent: false,
    });
    req.on('error', () => {});
    req.write('some');
    await called.promise;
    req.destroy();
    await aborted.promise;
    assert.deepEqual(
      rig.finished.map((each) => each.status),
      [499],
    );
  });

  test('a request with bytes that HTTP does not allow is 400', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end('reached')));
    const text = await exchange(
      rig.port,
      'GET /function/fn HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-A: a\x7fb\r\n\r\n',
      connect,
    );
    assert.match(text, /^HTTP\/1.1 400 /);
  });
});
