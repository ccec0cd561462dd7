// Bodies on their way through the gateway: as they come, whole, and no faster than they are taken.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { call, exchange, startRig, startUpstream } from './rig.ts';

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
