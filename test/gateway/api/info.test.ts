import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goArch } from '../../../gateway/api/info.ts';
import { startApp } from '../app-under-test.ts';

test('fact 129: info names provider, versions and machine', async (t) => {
  const app = await startApp(t);
  const answer = await app.ask('GET', '/system/info');
  assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/json']);
  const info = JSON.parse(answer.text);
  assert.deepEqual(info.version, { release: '1.2.3', sha: 'abc' });
  assert.equal(info.provider.provider, 'memory');
  assert.equal(info.provider.orchestration, 'none');
  assert.ok(info.provider.version.release.length > 0 && info.provider.version.sha.length > 0);
  assert.equal(info.arch, goArch(process.arch));
});

test('machines have the names that Go gives them', () => {
  assert.deepEqual(['x64', 'arm64', 'riscv64'].map(goArch), ['amd64', 'arm64', 'riscv64']);
});
