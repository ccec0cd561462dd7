import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeReadiness } from '../../../cli/steps/readiness.ts';
import type { Condition, FunctionStatus } from '../../../provider/types/function.ts';

const status = (more: Partial<FunctionStatus>): FunctionStatus => ({
  name: 'f',
  image: 'f',
  namespace: 'ns',
  createdAt: '2026-01-01T00:00:00Z',
  replicas: 1,
  ...more,
});
const condition = (type: Condition['type'], truth: Condition['status'], reason: string): Condition => ({
  type,
  status: truth,
  reason,
  message: 'why',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

const cases: [name: string, status: FunctionStatus | undefined, kind: string][] = [
  ['is not listed yet', undefined, 'waiting'],
  ['has no conditions and no replica', status({}), 'waiting'],
  ['has no conditions and a replica', status({ availableReplicas: 1 }), 'ready'],
  [
    'is starting',
    status({ conditions: [condition('Ready', 'False', 'Starting'), condition('Healthy', 'True', 'Starting')] }),
    'waiting',
  ],
  ['runs', status({ availableReplicas: 1, conditions: [condition('Ready', 'True', 'Running')] }), 'ready'],
  ['is at zero by design', status({ replicas: 0, conditions: [condition('Ready', 'True', 'AtZero')] }), 'ready'],
  [
    'is being updated while the version before answers',
    status({
      availableReplicas: 1,
      conditions: [condition('Ready', 'True', 'Running'), condition('Healthy', 'True', 'Updating')],
    }),
    'waiting',
  ],
  [
    'fails while the version before answers',
    status({
      availableReplicas: 1,
      conditions: [condition('Ready', 'True', 'Running'), condition('Healthy', 'False', 'LoadFailed')],
    }),
    'failed',
  ],
  ['crashes', status({ conditions: [condition('Ready', 'False', 'CrashLoop')] }), 'failed'],
];
for (const [name, given, kind] of cases) {
  test(`a function that ${name} is ${kind}`, () => assert.equal(judgeReadiness(given).kind, kind));
}

test('a function at zero is ready without answering', () => {
  const conditions = [condition('Ready', 'True', 'AtZero')];
  assert.deepEqual(judgeReadiness(status({ replicas: 0, conditions })), { kind: 'ready', answers: false });
});
