import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call } from './call.ts';
import { startUpstream } from './upstream.ts';

for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
  test(`a ${method} carries its body, framed`, async (t) => {
    const upstream = await startUpstream(t);
    const { text } = await call(upstream.url, { method, path: '/a', body: 'bödy' });
    assert.equal(text, 'bödy');
    assert.equal(upstream.last().headers['content-length'], '5');
  });
}

test('framing that the caller sets is left as it is', async (t) => {
  const upstream = await startUpstream(t);
  await call(upstream.url, { method: 'POST', headers: { 'transfer-encoding': 'chunked' }, body: 'x' });
  assert.equal(upstream.last().headers['content-length'], undefined);
  assert.equal(upstream.last().body.toString(), 'x');
});

test('a call that is not answered in time fails', async (t) => {
  const upstream = await startUpstream(t, () => undefined);
  await assert.rejects(call(upstream.url, { timeoutMs: 50 }), /GET \/: no answer within 50 ms/);
});
