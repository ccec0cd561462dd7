import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revisionOf } from '../../../provider/process/revision.ts';
import type { FunctionSpec } from '../../../provider/types/function.ts';

const digest = 'a'.repeat(64);
const base: FunctionSpec = { service: 'fn', namespace: 'ns', image: `fn:1@sha256:${digest}`, envVars: { a: '1', b: '2' } };

for (const [what, more] of Object.entries<Partial<FunctionSpec>>({
  'the order of variables': { envVars: { b: '2', a: '1' } },
  "the image's tag": { image: `fn:2@sha256:${digest}` },
  labels: { labels: { x: 'y' } },
  'an annotation': { annotations: { topic: 'x' } },
  requests: { requests: { memory: '1Mi' } },
  'an empty list of secrets': { secrets: [] },
})) {
  test(`${what} makes no new revision`, () => assert.equal(revisionOf({ ...base, ...more }), revisionOf(base)));
}

for (const [what, more] of Object.entries<Partial<FunctionSpec>>({
  code: { image: `fn:1@sha256:${'b'.repeat(64)}` },
  'a variable': { envVars: { a: '1', b: '3' } },
  'a secret': { secrets: ['x'] },
  'a limit': { limits: { memory: '128Mi' } },
  'the command': { envProcess: 'cat' },
  'the timeout': { annotations: { 'sluice.dev/timeout': '5s' } },
})) {
  test(`${what} makes a new revision`, () => assert.notEqual(revisionOf({ ...base, ...more }), revisionOf(base)));
}
