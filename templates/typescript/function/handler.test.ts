import assert from 'node:assert/strict';
import { test } from 'node:test';
import handler from './handler.ts';

const greet = async (request: Request): Promise<unknown> => (await handler(request)).json();

test('greets the name in the body', async () => {
  const request = new Request('http://localhost/', { method: 'POST', body: 'Ada\n' });
  assert.deepEqual(await greet(request), { message: 'Hello, Ada!' });
});

test('greets the name in the query', async () => {
  assert.deepEqual(await greet(new Request('http://localhost/?name=Grace')), { message: 'Hello, Grace!' });
});

test('answers JSON', async () => {
  const response = await handler(new Request('http://localhost/'));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'application/json');
});
