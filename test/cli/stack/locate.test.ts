import assert from 'node:assert/strict';
import { test } from 'node:test';
import { locate } from '../../../cli/stack/locate.ts';
import { parseStack } from '../../../cli/stack/parse.ts';
import { functionOfFlags } from '../../../cli/stack/to-deployment.ts';
import { FaasError } from '../../../provider/types/errors.ts';

const text = `provider:
  name: openfaas
functions:
  fn:
    image: fn:1
    secrets: [one]
    limits:
      memory: 12Zi
    environment: {A=: b}
    annotations:
      sluice.dev/timeot: 1s
`;
const fn = () => parseStack(text, 's.yaml').functions[0] ?? assert.fail();

const rows: readonly (readonly [message: string, expected: string])[] = [
  ['image: wrong', 's.yaml:5:5: functions.fn.image: wrong'],
  ['limits.memory: wrong', 's.yaml:8:7: functions.fn.limits.memory: wrong'],
  ['limits.cpu: wrong', 's.yaml:7:5: functions.fn.limits.cpu: wrong'],
  ['secrets.0: wrong', 's.yaml:6:5: functions.fn.secrets.0: wrong'],
  ['annotations.sluice.dev/timeot: unknown', 's.yaml:11:7: functions.fn.annotations.sluice.dev/timeot: unknown'],
  ['envVars.A=: wrong', 's.yaml:9:19: functions.fn.environment.A=: wrong'],
  ['handler: expected a folder, got nothing', 's.yaml:4:3: functions.fn.handler: expected a folder, got nothing'],
  ['labels.a: given by a flag', 'fn: labels.a: given by a flag'],
  ['tests failed', 'fn: tests failed'],
  ['fn/handler.ts:1:2: wrong', 'fn/handler.ts:1:2: wrong'],
];
for (const [message, expected] of rows) {
  test(`the problem "${message}" is shown as "${expected}"`, () => assert.equal(locate(fn(), new Error(message)), expected));
}

test('what the gateway says is shown at its place as well', () => {
  const cause = new FaasError('invalid', 'limits.memory: wrong');
  const error = new FaasError('invalid', 'deploying fn: 400: limits.memory: wrong', { cause });
  assert.equal(locate(fn(), error), 's.yaml:8:7: functions.fn.limits.memory: wrong');
  const other = new FaasError('internal', 'deploying fn: 500: broken', { cause: new FaasError('internal', 'broken') });
  assert.equal(locate(fn(), other), 'deploying fn: 500: broken');
});

test('a function that only flags describe has no place', () => {
  const flags = functionOfFlags({ name: 'fn', image: '' });
  assert.equal(
    locate(flags, new Error('image: expected an image name, got nothing')),
    'fn: image: expected an image name, got nothing',
  );
});
