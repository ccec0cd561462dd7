import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type CallLogMode, createCallLog } from '../../../gateway/http/call-log.ts';
import { eventually } from '../../helpers/eventually.ts';
import { call, startRig, startUpstream } from './rig.ts';

type Line = Readonly<Record<string, string | number | undefined>>;

const startLog = (mode: CallLogMode, random?: () => number) => {
  const lines: Line[] = [];
  return { lines, callLog: createCallLog(mode, { info: (fields) => void lines.push(fields as Line) }, random) };
};

test('a line tells id, function, status, bytes and the time of each phase', async (t) => {
  const { lines, callLog } = startLog(1);
  const rig = await startRig(t, { callLog });
  const address = await startUpstream(t, (req, res) => {
    req.resume().on('end', () =>
      setTimeout(() => {
        res.write('12345');
        setTimeout(() => res.end('678'), 60);
      }, 40),
    );
  });
  rig.ready('fn.openfaas-fn', address, 'replica-1');
  const upload = request({ port: rig.port, path: '/function/fn', method: 'PUT', headers: { 'X-Call-Id': 'abc' }, agent: false });
  upload.write('x'.repeat(1000));
  upload.end('yy');
  const [response] = await once(upload, 'response');
  await once(response.resume(), 'end');
  const line = await eventually(() => lines[0], { what: 'a line' });
  const { ms, queueMs, firstByteMs, transferMs, ...rest } = line as Record<string, number>;
  assert.deepEqual(rest, {
    callId: 'abc',
    fn: 'fn.openfaas-fn',
    method: 'PUT',
    status: 200,
    origin: 'http',
    endpoint: 'replica-1',
    bytesIn: 1002,
    bytesOut: 8,
    code: undefined,
    reason: undefined,
    left: undefined,
  });
  assert.ok(firstByteMs! >= 10 && transferMs! >= 10 && queueMs! >= 0);
  assert.ok(Math.abs(ms! - queueMs! - firstByteMs! - transferMs!) < 0.01);
});

test('small bodies are counted, refusals carry their reason, unknown functions are logged too', async (t) => {
  const { lines, callLog } = startLog(1);
  const rig = await startRig(t, { callLog, limits: { maxInflight: 1, maxQueue: 0 } });
  const held: (() => void)[] = [];
  rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => held.push(() => res.end())));
  const running = call(rig, '/function/fn', { method: 'POST', body: 'abc' });
  await eventually(() => held.length === 1, { what: 'the first call' });
  await call(rig, '/function/fn');
  held[0]?.();
  await running;
  await call(rig, '/function/nobody');
  assert.deepEqual(
    lines.map(({ status, bytesIn, reason, fn }) => [status, bytesIn, reason, fn]),
    [
      [429, 0, 'MaxInflight', 'fn.openfaas-fn'],
      [200, 3, undefined, 'fn.openfaas-fn'],
      [404, 0, undefined, 'nobody.openfaas-fn'],
    ],
  );
});

test('of errors only: what was refused, failed, broke off or was left; a 4xx of the function is its answer', async (t) => {
  const { lines, callLog } = startLog('errors');
  const rig = await startRig(t, { callLog });
  const arrived = Promise.withResolvers<void>();
  const address = await startUpstream(t, (req, res) => {
    if (req.url === '/ok') res.end();
    else if (req.url === '/404') res.writeHead(404).end();
    else if (req.url === '/500') res.writeHead(500).end();
    else if (req.url === '/half') res.write('half', () => setImmediate(() => res.destroy()));
    else arrived.resolve();
  });
  rig.ready('fn.openfaas-fn', address);
  for (const path of ['/ok', '/404', '/500']) await call(rig, `/function/fn${path}`);
  await assert.rejects(call(rig, '/function/fn/half'));
  const leaver = connect(rig.port, '127.0.0.1');
  leaver.write('GET /function/fn/leave HTTP/1.1\r\nHost: h\r\n\r\n');
  await arrived.promise;
  leaver.destroy();
  await eventually(() => lines.length === 3, { what: 'three lines' });
  assert.deepEqual(
    lines.map(({ status, code, left }) => [status, code, left]),
    [
      [500, undefined, undefined],
      [200, 'upstream', undefined],
      [499, undefined, true],
    ],
  );
});

test('a caller who leaves in the middle of an answer shows, with what it was sent', async (t) => {
  const { lines, callLog } = startLog(1);
  const rig = await startRig(t, { callLog });
  rig.ready('fn.openfaas-fn', await startUpstream(t, (_req, res) => res.write('first of many')));
  const listener = request({ port: rig.port, path: '/function/fn', agent: false }).end();
  const [stream] = await once(listener, 'response');
  stream.on('error', () => undefined);
  await once(stream, 'data');
  listener.destroy();
  const line = await eventually(() => lines[0], { what: 'a line' });
  assert.deepEqual([line.status, line.code, line.left, line.bytesOut], [200, undefined, true, 13]);
});

test('what the watchdog answers in place of the function is told apart from what the function answers', async (t) => {
  const { lines, callLog } = startLog('errors');
  const rig = await startRig(t, { callLog });
  const address = await startUpstream(t, (req, res) => {
    const limit = { 'X-OpenFaaS-Internal': 'watchdog', 'X-Error-Code': 'busy', 'X-Error-Reason': 'MaxInflight' };
    if (req.url === '/full') res.writeHead(429, limit).end();
    else res.writeHead(429, { 'X-Error-Code': 'busy' }).end();
  });
  rig.ready('fn.openfaas-fn', address);
  for (const path of ['/own', '/full']) await call(rig, `/function/fn${path}`);
  assert.deepEqual(
    lines.map(({ status, code, reason }) => [status, code, reason]),
    [[429, 'busy', 'MaxInflight']],
  );
});

test('a share of the calls is logged, and off is no log at all', async (t) => {
  const rolls = [0.05, 0.2, 0.09, 0.1];
  const { lines, callLog } = startLog(0.1, () => rolls.shift() ?? 1);
  const rig = await startRig(t, { callLog });
  rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.url)));
  for (const id of ['a', 'b', 'c', 'd']) await call(rig, '/function/fn', { headers: { 'X-Call-Id': id } });
  assert.deepEqual(
    lines.map(({ callId }) => callId),
    ['a', 'c'],
  );
  assert.equal(startLog(0).callLog, undefined);
});
