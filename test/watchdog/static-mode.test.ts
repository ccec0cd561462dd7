import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { startBlank } from './blank-process.ts';

const start = async (t: TestContext) => {
  const dir = mkdtempSync(join(tmpdir(), 'static-'));
  onEnd(t, () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  mkdirSync(join(dir, 'public/docs'), { recursive: true });
  mkdirSync(join(dir, 'public/files'));
  mkdirSync(join(dir, 'public-not'));
  writeFileSync(join(dir, 'secret'), 'secret');
  writeFileSync(join(dir, 'public-not/secret'), 'secret');
  writeFileSync(join(dir, 'public/docs/index.html'), '<h1>docs</h1>');
  writeFileSync(join(dir, 'public/files/a b.txt'), '0123456789');
  writeFileSync(join(dir, 'public/files/<i>.css'), '');
  symlinkSync('../secret', join(dir, 'public/link'));
  symlinkSync('files/a b.txt', join(dir, 'public/inside'));
  const blank = await startBlank(t);
  const answer = await blank.specialize({
    mode: 'static',
    handler: undefined,
    environment: { static_path: join(dir, 'public') },
  });
  assert.equal(answer.status, 200, answer.body);
  return blank;
};

test('static serves index.html, files, listings and 404; POST is as GET (fact 73)', async (t) => {
  const blank = await start(t);
  const index = await blank.call('/docs/');
  assert.deepEqual([index.status, index.headers['content-type'], index.body], [200, 'text/html; charset=utf-8', '<h1>docs</h1>']);
  assert.equal((await blank.call('/files/a%20b.txt', { method: 'POST', body: 'x' })).body, '0123456789');
  const listing = await blank.call('/files/');
  assert.match(listing.body, /<a href="\.\/a%20b\.txt">a b\.txt<\/a>/);
  assert.match(listing.body, /&#60;i&#62;\.css/);
  assert.match((await blank.call('/')).body, /docs\//);
  assert.equal((await blank.call('/none')).status, 404);
  assert.equal((await blank.call('/files/%3Ci%3E.css')).status, 200);
});

test('/index.html leads to ./ and /dir to dir/', async (t) => {
  const blank = await start(t);
  assert.equal((await blank.call('/docs/index.html?a=1')).headers.location, './?a=1');
  assert.equal((await blank.call('/docs')).headers.location, 'docs/');
  assert.equal((await blank.call('/docs')).status, 301);
});

test('nothing outside of the folder is served', async (t) => {
  const blank = await start(t);
  for (const path of [
    '/../secret',
    '/%2e%2e/secret',
    '/..%2fsecret',
    '/../public-not/secret',
    '/link',
    '/files/../../secret',
    '/%00',
    '/%zz',
  ]) {
    const answer = await blank.call(path);
    assert.deepEqual([answer.status, answer.body.includes('secret')], [404, false], path);
  }
  assert.equal((await blank.call('/inside')).body, '0123456789');
});

test('ranges and conditional requests are answered', async (t) => {
  const blank = await start(t);
  const path = '/files/a%20b.txt';
  const whole = await blank.call(path);
  const tag = String(whole.headers.etag);
  const modified = String(whole.headers['last-modified']);
  const ask = async (headers: Record<string, string>) => {
    const { status, body, headers: got } = await blank.call(path, { headers });
    return [status, body, got['content-range']];
  };
  assert.deepEqual(await ask({ range: 'bytes=2-4' }), [206, '234', 'bytes 2-4/10']);
  assert.deepEqual(await ask({ range: 'bytes=7-' }), [206, '789', 'bytes 7-9/10']);
  assert.deepEqual(await ask({ range: 'bytes=-2' }), [206, '89', 'bytes 8-9/10']);
  assert.deepEqual(await ask({ range: 'bytes=0-1,3-4' }), [200, '0123456789', undefined]);
  assert.deepEqual((await ask({ range: 'bytes=10-' })).toSpliced(1, 1), [416, 'bytes */10']);
  assert.deepEqual(await ask({ range: 'bytes=0-1', 'if-range': '"other"' }), [200, '0123456789', undefined]);
  assert.deepEqual(await ask({ 'if-none-match': `W/"x", ${tag}` }), [304, '', undefined]);
  assert.deepEqual(await ask({ 'if-none-match': '"x"', 'if-modified-since': modified }), [200, '0123456789', undefined]);
  assert.deepEqual(await ask({ 'if-modified-since': modified }), [304, '', undefined]);
  const head = await blank.call(path, { method: 'HEAD' });
  assert.deepEqual([head.headers['content-length'], head.body], ['10', '']);
});

test('a folder that is not there does not load', async (t) => {
  const blank = await startBlank(t);
  const answer = await blank.specialize({ mode: 'static', environment: { static_path: '/no/such/folder' } });
  assert.equal(JSON.parse(answer.body).reason, 'LoadFailed');
});
