import assert from 'node:assert/strict';
import { test } from 'node:test';
import { version1, version2 } from '../../../../provider/process/limits/cgroup.ts';

const caps = { memoryBytes: 134_217_728, cpuCores: 0.25 };

test('limits in the words of version 2: no swap beside the memory, CPU as quota of a period', () => {
  assert.deepEqual(version2('/g', true).limits(caps), [
    [0, 'memory.max', '134217728'],
    [0, 'memory.swap.max', '0'],
    [0, 'cpu.max', '25000 100000'],
  ]);
  assert.equal(version2('/g', false).limits(caps).length, 2);
  assert.equal(version2('/g', true).cpu?.toMs('usage_usec 1500\nuser_usec 1\n'), 1.5);
});

test('limits in the words of version 1, each in the hierarchy of its controller', () => {
  const dialect = version1('/memory/s', '/cpu/s', '/cpuacct/s');
  assert.deepEqual(dialect.parents, ['/memory/s', '/cpu/s', '/cpuacct/s']);
  assert.deepEqual(dialect.limits(caps), [
    [0, 'memory.limit_in_bytes', '134217728'],
    [1, 'cpu.cfs_quota_us', '25000'],
  ]);
  assert.deepEqual(version1('/memory/s', '/cpu/s', '/cpu/s').parents, ['/memory/s', '/cpu/s']);
});

test('a function without limits gets none', () => {
  assert.deepEqual(version2('/g', true).limits({}), []);
});
