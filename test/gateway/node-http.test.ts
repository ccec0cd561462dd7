import assert from 'node:assert/strict';
import test from 'node:test';
import { loadedBy } from '../helpers/loaded-by.ts';

for (const file of ['gateway/main.ts', 'provider/process/index.ts']) {
  test(`${file} does not load the undici that is in Node.js, which would cost the gateway 5 MB`, async () => {
    assert.deepEqual(await loadedBy(new URL(`../../${file}`, import.meta.url), 'deps/undici'), []);
  });
}
