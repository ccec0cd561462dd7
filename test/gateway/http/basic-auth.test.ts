import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basicAuth, parseBasic } from '../../../gateway/http/basic-auth.ts';

const header = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const authenticate = basicAuth({ user: 'admin', password: 'pass:wörd' });

test('the right user with the right password is the admin, colons and umlauts included', () => {
  assert.deepEqual(authenticate(header('admin:pass:wörd')), { kind: 'admin', name: 'admin' });
  assert.deepEqual(authenticate(header('admin:pass:wörd').replace('Basic', 'basic')), { kind: 'admin', name: 'admin' });
});

for (const [name, value] of [
  ['fact 7: a wrong user with the right password', header('root:pass:wörd')],
  ['fact 7: the right user with a wrong password', header('admin:pass')],
  ['an empty password', header('admin:')],
  ['no colon', header('admin')],
  ['no header', undefined],
  ['an empty header', ''],
  ['a bearer token', 'Bearer abc'],
  ['something that is not base64', 'Basic ???'],
  ['two headers joined', `${header('admin:pass:wörd')}, ${header('admin:pass:wörd')}`],
] as const) {
  test(`${name} is nobody`, () => assert.equal(authenticate(value), undefined));
}

test('the user ends at the first colon', () => {
  assert.deepEqual(parseBasic(header('a:b:c')), { user: 'a', password: 'b:c' });
});
