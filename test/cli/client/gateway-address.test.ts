import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, normaliseGateway, pickGateway } from '../../../cli/client/gateway-address.ts';

test('cli facts 5 and 7: a gateway address gets a scheme and loses its trailing slash and upper-case host', () => {
  assert.equal(normaliseGateway('127.0.0.1:8080/'), 'http://127.0.0.1:8080');
  assert.equal(normaliseGateway('HTTP://GW:80/'), 'http://gw:80');
  assert.equal(normaliseGateway('https://gw.example.com/Path//'), 'https://gw.example.com/Path');
  assert.equal(normaliseGateway('httpbin:8080'), 'http://httpbin:8080');
});

test('what is no gateway address is refused', () => {
  for (const text of ['', 'http://', 'ftp://x', 'http://user:pw@gw', 'http://gw?x=1', 'http://a b']) {
    assert.throws(() => normaliseGateway(text), { code: 'invalid' }, text);
  }
});

test('an explicit flag wins, even with the default address', () => {
  const rest = { stack: 'http://stack:1', env: 'http://env:1' };
  assert.equal(pickGateway({ flag: 'http://127.0.0.1:8080', ...rest }), 'http://127.0.0.1:8080');
  assert.equal(pickGateway(rest), 'http://stack:1');
  assert.equal(pickGateway({ stack: 'http://127.0.0.1:8080', env: 'http://env:1' }), 'http://env:1');
  assert.equal(pickGateway({ stack: '', env: '' }), 'http://127.0.0.1:8080');
});

test('only addresses of this machine are loopback', () => {
  for (const url of ['http://127.0.0.1:1', 'http://127.8.8.8', 'http://localhost:1', 'http://[::1]:8080'])
    assert.ok(isLoopback(url), url);
  for (const url of ['http://127.0.0.1.example.com', 'http://10.0.0.1', 'http://localhost.example.com'])
    assert.ok(!isLoopback(url), url);
});
