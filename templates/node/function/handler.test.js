'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const handler = require('./handler.js');

// Records what the handler answers, as the platform's context does.
const call = async (event) => {
  const answer = {};
  const context = {
    status: (code) => Object.assign(context, { code }) && context,
    headers: (values) => Object.assign(context, { values }) && context,
    succeed: (body) => Object.assign(answer, { status: context.code, headers: context.values, body }),
  };
  await handler({ body: undefined, headers: {}, method: 'GET', query: {}, path: '/', ...event }, context);
  return answer;
};

test('greets the name in the body', async () => {
  const answer = await call({ method: 'POST', body: 'Ada\n' });
  assert.equal(answer.status, 200);
  assert.equal(answer.body, 'Hello, Ada!\n');
});

test('greets the name in a form, and in JSON', async () => {
  assert.equal((await call({ method: 'POST', body: { Ada: '' } })).body, 'Hello, Ada!\n');
  assert.equal((await call({ method: 'POST', body: { name: 'Grace' } })).body, 'Hello, Grace!\n');
});

test('greets the name in the query', async () => {
  assert.equal((await call({ query: { name: 'Grace' } })).body, 'Hello, Grace!\n');
});

test('greets the world without a name', async () => {
  assert.equal((await call({})).body, 'Hello, world!\n');
});
