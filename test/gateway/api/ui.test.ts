import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApp } from '../app-under-test.ts';

const crossOrigin = ['access-control-allow-headers', 'access-control-allow-methods', 'access-control-allow-origin'] as const;

test('fact 5: the page and what is missing beside it carry the three CORS headers', async (t) => {
  const app = await startApp(t);
  for (const [path, status] of [
    ['/ui/', 200],
    ['/ui/nothing.js', 404],
  ] as const) {
    const answer = await app.ask('GET', path);
    assert.equal(answer.status, status);
    assert.deepEqual(
      crossOrigin.map((name) => answer.headers[name]),
      ['Content-Type', 'GET', 'raw.githubusercontent.com'],
    );
  }
});

test('the page lists the functions of a namespace with their state, and namespaces to go to', async (t) => {
  const app = await startApp(t);
  await app.ask('POST', '/system/namespace/', { name: 'other' });
  assert.match((await app.ask('GET', '/ui/')).text, /None yet/);
  await app.ask('POST', '/system/functions', { service: 'fn', image: 'echo:<b>&' });
  await app.ask('POST', '/system/scale-function/fn', { replicas: 0 });
  const answer = await app.ask('GET', '/ui/');
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(answer.text, /<a href="\.\.\/function\/fn\.openfaas-fn">fn<\/a>/);
  assert.match(answer.text, /echo:&lt;b&gt;&amp;/);
  assert.match(answer.text, /<a href="\?namespace=other">other<\/a>/);
  assert.doesNotMatch((await app.ask('GET', '/ui/?namespace=other')).text, /function\/fn/);
});
