import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApp } from '../app-under-test.ts';

test('fact 126: the list is an array of names with the default one', async (t) => {
  const app = await startApp(t);
  const answer = await app.ask('GET', '/system/namespaces');
  assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'application/json']);
  assert.deepEqual(JSON.parse(answer.text), ['openfaas-fn']);
});

for (const path of ['/system/namespace/', '/system/namespaces/']) {
  test(`facts 127 and 128: namespaces are made, shown, changed and removed under ${path}`, async (t) => {
    const app = await startApp(t);
    const labels = { openfaas: '1' };
    assert.equal((await app.ask('POST', path, { name: 'dev', labels, annotations: labels })).status, 201);
    assert.equal((await app.ask('POST', path, { name: 'dev' })).status, 409);
    assert.equal((await app.ask('POST', `${path}test`, {})).status, 201);
    const shown = await app.ask('GET', `${path}dev`);
    assert.deepEqual([shown.status, JSON.parse(shown.text)], [200, { name: 'dev', labels, annotations: labels }]);
    assert.equal((await app.ask('PUT', `${path}dev`, { name: 'dev', labels: { a: 'b' } })).status, 202);
    assert.deepEqual(JSON.parse((await app.ask('GET', `${path}dev`)).text), { name: 'dev', labels: { a: 'b' }, annotations: {} });
    assert.deepEqual(JSON.parse((await app.ask('GET', '/system/namespaces')).text), ['dev', 'openfaas-fn', 'test']);
    assert.equal((await app.ask('DELETE', `${path}dev`, { name: 'dev', labels })).status, 202);
    assert.equal((await app.ask('GET', `${path}dev`)).status, 404);
    assert.equal((await app.ask('PUT', `${path}dev`, { name: 'dev' })).status, 404);
    assert.equal((await app.ask('DELETE', `${path}dev`)).status, 404);
  });
}

test('a namespace with another name than its path, or none that can be one, is 400', async (t) => {
  const app = await startApp(t);
  const other = await app.ask('PUT', '/system/namespace/a', { name: 'b' });
  assert.deepEqual([other.status, other.text], [400, 'name: expected "a" as in the path, got "b"\n']);
  assert.equal((await app.ask('POST', '/system/namespace/', { name: 'A' })).status, 400);
  assert.equal((await app.ask('POST', '/system/namespace/', {})).status, 400);
  assert.equal((await app.ask('POST', '/system/namespace/', { name: 'a', labels: { a: 1 } })).status, 400);
});

test('the default namespace stays', async (t) => {
  const app = await startApp(t);
  assert.equal((await app.ask('DELETE', '/system/namespace/openfaas-fn')).status, 400);
});
