import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLayouts } from '../../../../provider/process/limits/cgroup-layout.ts';
import { parseStat, treeOf } from '../../../../provider/process/limits/proc.ts';

test('a unified hierarchy is found where this process is in it', () => {
  const mounts = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
  assert.deepEqual(findLayouts('0::/user.slice/app.scope\n', mounts), [
    { version: 2, base: '/sys/fs/cgroup/user.slice/app.scope' },
  ]);
});

test('controllers of version 1 are found beside a unified hierarchy, also when they are mounted together', () => {
  const mounts = [
    '31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ].join('\n');
  assert.deepEqual(findLayouts('4:memory:/a\n3:cpu,cpuacct:/b\n0::/\n', mounts), [
    { version: 2, base: '/sys/fs/cgroup/unified' },
    {
      version: 1,
      memory: '/sys/fs/cgroup/memory/a',
      cpu: '/sys/fs/cgroup/cpu,cpuacct/b',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct/b',
    },
  ]);
});

test('inside a container the part of the path above its mount is left out', () => {
  const mounts = '31 23 0:27 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory';
  assert.deepEqual(findLayouts('4:memory:/docker/1/x\n', mounts), [
    { version: 1, memory: '/sys/fs/cgroup/memory/x', cpu: undefined, cpuacct: undefined },
  ]);
});

test('a command name with spaces and parentheses does not confuse the facts of a process', () => {
  const rest = [
    'S',
    '7',
    ...Array.from({ length: 9 }, () => '0'),
    '11',
    '12',
    '13',
    '14',
    ...Array.from({ length: 6 }, () => '0'),
    '500',
  ];
  assert.deepEqual(parseStat(`42 (a) b (c)) ${rest.join(' ')}`), { pid: 42, parent: 7, cpuTicks: 50, residentPages: 500 });
});

test('a tree holds the process and all below it, and no others', () => {
  const fact = (pid: number, parent: number) => ({ pid, parent, cpuTicks: 0, residentPages: 0 });
  const tree = treeOf(2, [fact(1, 0), fact(2, 1), fact(3, 2), fact(4, 3), fact(5, 1)]);
  assert.deepEqual(tree.map((each) => each.pid).toSorted(), [2, 3, 4]);
});
