import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually } from '../../helpers/eventually.ts';
import { call, exchange, type Handler, startRawUpstream, startRig, startUpstream } from './rig.ts';

const seen = (req: { method?: string; url?: string; headers: unknown; rawHeaders: string[] }): string =>
  JSON.stringify({ method: req.method, url: req.url, headers: req.headers, raw: req.rawHeaders });

describe('names and paths', () => {
  test('fact 19: short name, slash and full name reach the same function at /', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.url)));
    for (const path of ['/function/fn', '/function/fn/', '/function/fn.openfaas-fn', '/function/fn.openfaas-fn/']) {
      assert.equal((await call(rig, path)).text, '/', path);
    }
    assert.equal((await call(rig, '/function/fn?a=1')).text, '/?a=1');
  });

  test('fact 20: the function sees the rest of the path and the query as they were sent', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.url)));
    for (const rest of [
      '/a/b?x=1&y=2',
      '/a%2Fb%3F%23%25%',
      '/%2e%2e/x',
      '/a?u=http://h//x/../y',
      '/a;b=c,d',
      '/x?',
      '/x??a',
      '/\'"<>|^`{}',
    ]) {
      assert.equal((await call(rig, `/function/fn${rest}`)).text, rest);
    }
  });

  test('fact 21: the namespace begins after the last dot', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.other', await startUpstream(t, (_req, res) => res.end('other')));
    rig.ready('a.b.c', await startUpstream(t, (_req, res) => res.end('c')));
    assert.equal((await call(rig, '/function/fn.other/x')).text, 'other');
    assert.equal((await call(rig, '/function/a.b.c')).text, 'c');
    assert.equal((await call(rig, '/function/fn')).status, 404);
  });

  test('fact 46: what names no function is 404 page not found', async (t) => {
    const rig = await startRig(t);
    for (const path of ['/function/', '/function/?x', '/function/.openfaas-fn', '/function/a%20b', '/function/a~b/x']) {
      const answer = await call(rig, path, { method: 'POST' });
      assert.equal(answer.status, 404, path);
      assert.equal(answer.text, '404 page not found\n');
    }
    assert.deepEqual(rig.looked, []);
  });

  test('fact 15: paths with //, /./ or /../ are redirected with their query, encoded ones are not', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.url)));
    const moved = async (path: string): Promise<unknown> => {
      const answer = await call(rig, path, { method: 'POST' });
      return [answer.status, answer.headers.location];
    };
    assert.deepEqual(await moved('/function/fn//a?q=//'), [301, '/function/fn/a?q=//']);
    assert.deepEqual(await moved('/function/./fn/'), [301, '/function/fn/']);
    assert.deepEqual(await moved('/function/fn/../x?y'), [301, '/function/x?y']);
    assert.deepEqual(await moved('//evil.example/..'), [301, '/']);
    assert.equal((await call(rig, '/function/fn/.well-known/..a')).text, '/.well-known/..a');
  });

  test('the absolute form of a request target is taken for its path', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(`${req.headers.host} ${req.url}`)));
    const text = await exchange(
      rig.port,
      'GET http://example.org/function/fn/a?b HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n',
      connect,
    );
    assert.match(text, /^HTTP\/1.1 200 /);
    assert.match(text, /example\.org \/a\?b/);
  });
});

describe('methods', () => {
  test('fact 22: GET, POST, PUT, PATCH, DELETE, OPTIONS and HEAD reach the function, with bodies', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, async (req, res) => {
        let body = '';
        for await (const chunk of req) body += chunk;
        res.setHeader('X-Method', req.method as string);
        res.end(body);
      }),
    );
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND']) {
      const answer = await call(rig, '/function/fn', { method, body: method === 'HEAD' ? '' : `body of ${method}` });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['x-method'], method);
      assert.equal(answer.text, method === 'HEAD' ? '' : `body of ${method}`);
    }
  });

  test('fact 22: TRACE and CONNECT are 405', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.end('reached')));
    assert.equal((await call(rig, '/function/fn', { method: 'TRACE' })).status, 405);
    const text = await exchange(rig.port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n', connect);
    assert.match(text, /^HTTP\/1.1 405 /);
  });

  test('a chunked DELETE is one request to the function, not two', async (t) => {
    const rig = await startRig(t);
    const urls: string[] = [];
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, async (req, res) => {
        urls.push(`${req.method} ${req.url}`);
        let body = '';
        for await (const chunk of req) body += chunk;
        res.end(body);
      }),
    );
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const text = await exchange(
      rig.port,
      `DELETE /function/fn/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      connect,
    );
    assert.match(text, /smuggled/);
    assert.deepEqual(urls, ['DELETE /a']);
  });

  test('a HEAD answer keeps its length, and the connection to the function is used again', async (t) => {
    const rig = await startRig(t);
    const ports = new Set<number | undefined>();
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (req, res) => {
        ports.add(req.socket.remotePort);
        res.setHeader('Content-Length', 5);
        res.end('12345');
      }),
    );
    for (let i = 0; i < 3; i += 1) {
      const answer = await call(rig, '/function/fn', { method: 'HEAD' });
      assert.equal(answer.headers['content-length'], '5');
    }
    assert.equal(ports.size, 1);
  });
});

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

describe('bodies', () => {
  test('a known length stays known to the function, small and large', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, async (req, res) => {
        let bytes = 0;
        for await (const chunk of req) bytes += chunk.length;
        res.end(`${req.headers['content-length']} ${req.headers['transfer-encoding']} ${bytes}`);
      }),
    );
    for (const size of [1, 1024, 70_000, 3_000_000]) {
      assert.equal(
        (await call(rig, '/function/fn', { method: 'POST', body: Buffer.alloc(size) })).text,
        `${size} undefined ${size}`,
      );
    }
  });

  test('fact 43: bodies stream in both directions at once, and neither is kept in memory', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => req.pipe(res)));
    const req = request({ port: rig.port, host: '127.0.0.1', path: '/function/fn', method: 'POST', agent: false });
    req.write('first');
    const [res] = await once(req, 'response');
    assert.equal(String((await once(res, 'data'))[0]), 'first');
    req.write('second');
    assert.equal(String((await once(res, 'data'))[0]), 'second');
    req.end();
    await once(res.resume(), 'end');
  });

  test('a client that reads slowly slows the function down', async (t) => {
    const rig = await startRig(t);
    let sent = 0;
    const stalled = Promise.withResolvers<void>();
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (_req, res) => {
        const chunk = Buffer.alloc(256 * 1024);
        const push = (): void => {
          while (sent < 400) {
            sent += 1;
            if (!res.write(chunk)) {
              const timer = setTimeout(stalled.resolve, 200);
              res.once('drain', () => {
                clearTimeout(timer);
                push();
              });
              return;
            }
          }
          res.end();
        };
        push();
      }),
    );
    const req = request({ port: rig.port, host: '127.0.0.1', path: '/function/fn', agent: false }).end();
    const [res] = await once(req, 'response');
    await stalled.promise;
    assert.ok(sent < 200, `${sent} chunks of 400 were taken from the function`);
    let bytes = 0;
    for await (const chunk of res) bytes += chunk.length;
    assert.equal(bytes, 400 * 256 * 1024);
  });

  test('fact 39: events are passed as they are made, and a head that comes alone is passed alone', async (t) => {
    const rig = await startRig(t);
    const next = Promise.withResolvers<void>();
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, async (_req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/event-stream' });
        res.flushHeaders();
        await next.promise;
        res.end('data: 1\n\n');
      }),
    );
    const req = request({ port: rig.port, host: '127.0.0.1', path: '/function/fn', agent: false }).end();
    const [res] = await once(req, 'response');
    next.resolve();
    let text = '';
    for await (const chunk of res) text += chunk;
    assert.equal(text, 'data: 1\n\n');
  });

  test('an answer that comes before the body has been sent arrives whole', async (t) => {
    const rig = await startRig(t);
    rig.ready(
      'fn.openfaas-fn',
      await startUpstream(t, (_req, res) => res.writeHead(413, { Connection: 'close' }).end('too much')),
    );
    const answer = await call(rig, '/function/fn', { method: 'POST', body: Buffer.alloc(200_000) });
    assert.deepEqual([answer.status, answer.text], [413, 'too much']);
  });

  test('Expect: 100-continue is answered when the function is ready for the body, and not for unknown functions', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => req.pipe(res)));
    const talk = async (name: string): Promise<string> => {
      const socket = connect(rig.port, '127.0.0.1').setEncoding('latin1');
      socket.write(`POST /function/${name} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`);
      let text = '';
      socket.on('data', (chunk: string) => {
        text += chunk;
        if (text.endsWith('100 Continue\r\n\r\n')) socket.write('body');
        if (text.includes('body') || text.includes('404')) socket.end();
      });
      await once(socket, 'close');
      return text;
    };
    assert.match(await talk('fn'), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n.*body/s);
    assert.match(await talk('nobody'), /^HTTP\/1.1 404 .*Connection: close/s);
  });

  test('many calls on one connection keep their order and bodies', async (t) => {
    const rig = await startRig(t);
    rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => req.pipe(res)));
    let text = '';
    for (let i = 0; i < 20; i += 1) {
      const close = i === 19 ? 'Connection: close\r\n' : '';
      text += `POST /function/fn HTTP/1.1\r\nHost: h\r\n${close}Content-Length: 4\r\n\r\nB${String(i).padStart(3, '0')}`;
    }
    const answer = await exchange(rig.port, text, connect);
    assert.deepEqual(
      answer.match(/B\d{3}/g),
      Array.from({ length: 20 }, (_, i) => `B${String(i).padStart(3, '0')}`),
    );
  });
});

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
