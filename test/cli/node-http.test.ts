import assert from 'node:assert/strict';
import test from 'node:test';
import { loadedBy } from '../helpers/loaded-by.ts';

test('a request of the CLI does not load the undici that is in Node.js, which would cost every command 20 ms', async () => {
  assert.deepEqual(await loadedBy(new URL('../../cli/client/connect.ts', import.meta.url), 'deps/undici'), []);
});
