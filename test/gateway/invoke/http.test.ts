// Which function a request means, and with which methods it may be called.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { call, exchange, startRig, startUpstream } from './rig.ts';

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
    const traced = await call(rig, '/function/fn', { method: 'TRACE' });
    assert.equal(traced.status, 405);
    assert.match(String(traced.headers.allow), /^(?!.*TRACE).*GET.*PROPFIND/);
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
