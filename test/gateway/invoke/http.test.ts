import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, startRig, startUpstream } from './rig.ts';

test('fact 20: the function sees the rest of the path and the query as they were sent', async (t) => {
  const rig = await startRig(t);
  rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => res.end(req.url)));
  const answer = await call(rig, '/function/fn/a/b?x=1&y=2');
  assert.equal(answer.status, 200);
  assert.equal(answer.text, '/a/b?x=1&y=2');
});

test('a posted body reaches the function', async (t) => {
  const rig = await startRig(t);
  rig.ready('fn.openfaas-fn', await startUpstream(t, (req, res) => req.pipe(res)));
  const answer = await call(rig, '/function/fn', { method: 'POST', body: 'hello' });
  assert.equal(answer.text, 'hello');
});
