// What crosses the gateway besides the body: headers, statuses, trailers, informational answers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { call, exchange, startRawUpstream, startRig, startUpstream } from './rig.ts';

const seen = (req: { method?: string; url?: string; headers: unknown; rawHeaders: string[] }): string =>
  JSON.stringify({ method: req.method, url: req.url, headers: req.headers, raw: req.rawHeaders });

describe('headers', () => {
  test('fact 23: without X-Call-Id function and caller get the same new UUID', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.headers['x-call-id'])));
    const first = await call(rig, '/function/fn');
    const second = await call(rig, '/function/fn');
    assert.match(first.text, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(first.headers['x-call-id'], first.text);
    assert.notEqual(first.text, second.text);
  });

  test("fact 24: a caller's X-Call-Id reaches the function and is not echoed, unless the function sets it", async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req, res) => {
        if (req.url === '/set') res.setHeader('X-Call-Id', 'own');
        res.end(req.headers['x-call-id']);
      }),
    );
    const plain = await call(rig, '/function/fn', { headers: { 'X-Call-Id': 'abc' } });
    assert.equal(plain.text, 'abc');
    assert.equal(plain.headers['x-call-id'], undefined);
    assert.equal((await call(rig, '/function/fn/set', { headers: { 'X-Call-Id': 'abc' } })).headers['x-call-id'], 'own');
    assert.equal((await call(rig, '/function/fn/set')).headers['x-call-id'], 'own');
  });

  test('fact 25: function and caller get X-Start-Time in nanoseconds, after one that was there', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.headers['x-start-time'])));
    const before = Date.now();
    const answer = await call(rig, '/function/fn');
    assert.match(answer.text, /^\d{19}$/);
    assert.equal(answer.headers['x-start-time'], answer.text);
    const ms = Number(answer.text.slice(0, 13));
    assert.ok(ms >= before - 5 && ms <= Date.now() + 5, `${ms} is not about ${before}`);
    assert.match((await call(rig, '/function/fn', { headers: { 'X-Start-Time': '7' } })).text, /^7, \d{19}$/);
  });

  test('fact 26: the answer says which gateway served it', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end()));
    assert.equal((await call(rig, '/function/fn')).headers['x-served-by'], 'sluice/1.2.3');
  });

  test('facts 27, 28: X-Forwarded-Host and -For are set when absent and kept when present', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req, res) => {
        res.end(JSON.stringify([req.headers['x-forwarded-host'], req.headers['x-forwarded-for'], req.headers.host]));
      }),
    );
    const [host, remote, plain] = JSON.parse((await call(rig, '/function/fn', { headers: { Host: 'shop.example' } })).text);
    assert.deepEqual([host, plain], ['shop.example', 'shop.example']);
    assert.match(remote, /^127\.0\.0\.1:\d+$/);
    const kept = await call(rig, '/function/fn', { headers: { 'X-Forwarded-Host': 'a', 'x-forwarded-for': '1.2.3.4' } });
    assert.deepEqual(JSON.parse(kept.text).slice(0, 2), ['a', '1.2.3.4']);
  });

  test('facts 29, 30: end-to-end headers pass, hop-by-hop ones and those that Connection names do not', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(seen(req))));
    const sent = [
      'GET /function/fn HTTP/1.1',
      'Host: h',
      'Authorization: Bearer x',
      'Cookie: a=b',
      'X-Callback-Url: http://c',
      'Te: trailers',
      'Trailer: X-T',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authenticate: x',
      'Proxy-Authorization: y',
      'X-Secret: s',
      'X-Call-Id: named',
      'Connection: close, X-Secret, X-Call-Id',
    ];
    const answer = await exchange(rig.port, `${sent.join('\r\n')}\r\n\r\n`, connect);
    const { headers } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    assert.equal(headers.authorization, 'Bearer x');
    assert.equal(headers.cookie, 'a=b');
    assert.equal(headers['x-callback-url'], 'http://c');
    for (const gone of [
      'te',
      'trailer',
      'keep-alive',
      'proxy-connection',
      'proxy-authenticate',
      'proxy-authorization',
      'x-secret',
    ]) {
      assert.equal(headers[gone], undefined, gone);
    }
    assert.equal(headers['x-call-id'], 'named', 'the id of the call stays what the caller called it');
  });

  test('fact 44: a request without User-Agent gets the name of the gateway', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.headers['user-agent'])));
    assert.equal((await call(rig, '/function/fn')).text, 'sluice/1.2.3');
    assert.equal((await call(rig, '/function/fn', { headers: { 'user-agent': 'curl/8' } })).text, 'curl/8');
  });

  test('headers keep their case, order and repetitions in both directions', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req, res) => {
        res.writeHead(200, 'Fine', [
          'X-Raw',
          JSON.stringify(req.rawHeaders),
          'Set-Cookie',
          'a=1',
          'X-MiXed',
          'y',
          'Set-Cookie',
          'b=2',
          'X-Latin',
          '\xe9',
        ]);
        res.end();
      }),
    );
    const answer = await call(rig, '/function/fn', { headers: { 'X-B': ['1', '2'], 'x-a': '3' } });
    const raw: string[] = JSON.parse(answer.headers['x-raw'] as string);
    assert.deepEqual(raw.slice(raw.indexOf('X-B'), raw.indexOf('X-B') + 6), ['X-B', '1', 'X-B', '2', 'x-a', '3']);
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.ok(answer.raw.includes('X-MiXed'));
    assert.equal(answer.headers['x-latin'], '\xe9');
  });

  test('facts 31, 32 and 37: redirects and error statuses of a function pass with headers and body', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req, res) => {
        res.writeHead(Number(req.url?.slice(1)), 'Own Words', { Location: 'http://elsewhere/' });
        res.end(`body ${req.url}`);
      }),
    );
    for (const status of [200, 301, 302, 400, 404, 409, 418, 422, 429, 500, 503, 599]) {
      const answer = await call(rig, `/function/fn/${status}`);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.location, 'http://elsewhere/');
      assert.equal(answer.text, `body /${status}`);
      assert.equal(answer.headers['x-openfaas-internal'], undefined);
    }
    assert.equal((await call(rig, '/function/fn/204')).text, '');
    assert.equal((await call(rig, '/function/fn/304')).status, 304);
  });

  test("fact 33: Content-Type is the function's, else the request's, else text/plain", async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req, res) => {
        if (req.url === '/own') res.setHeader('content-type', 'text/css');
        res.end('x');
      }),
    );
    const type = async (path: string, headers: Record<string, string>): Promise<unknown> =>
      (await call(rig, path, { headers, method: 'POST', body: 'x' })).headers['content-type'];
    assert.equal(await type('/function/fn/own', { 'Content-Type': 'application/json' }), 'text/css');
    assert.equal(await type('/function/fn', { 'Content-Type': 'application/json' }), 'application/json');
    assert.equal(await type('/function/fn', {}), 'text/plain');
  });

  test('trailers of a chunked answer arrive', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (_req, res) => {
        res.setHeader('Trailer', 'X-Sum');
        res.write('data');
        res.addTrailers({ 'X-Sum': '42' });
        res.end();
      }),
    );
    const answer = await call(rig, '/function/fn');
    assert.equal(answer.trailers['x-sum'], '42');
    assert.equal(answer.text, 'data');
  });

  test('a Trailer header where no trailers can follow does not break the answer', async (t) => {
    const rig = await startRig(t);
    const address = await startRawUpstream(t, (socket) =>
      socket.once('data', (request) => {
        const length = String(request).startsWith('HEAD') ? '' : 'Content-Length: 2\r\n';
        socket.end(`HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\n${length}Connection: close\r\n\r\n${length && 'ok'}`);
      }),
    );
    rig.ready('fn.openfaas-fn', address);
    for (const method of ['GET', 'HEAD']) {
      const answer = await call(rig, '/function/fn', { method });
      assert.deepEqual([answer.status, answer.headers.trailer], [200, undefined], method);
    }
  });

  test('informational answers are passed before the final one', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (_req, res) => {
        res.writeEarlyHints({ link: '</style.css>; rel=preload' });
        res.end('final');
      }),
    );
    const req = request({ port: rig.port, host: '127.0.0.1', path: '/function/fn', agent: false });
    const hints: unknown[] = [];
    req.on('information', (info) => hints.push([info.statusCode, info.headers.link]));
    req.end();
    const [res] = await once(req, 'response');
    assert.equal(res.statusCode, 200);
    assert.deepEqual(hints, [[103, '</style.css>; rel=preload']]);
    res.resume();
    await once(res, 'end');
  });
});
