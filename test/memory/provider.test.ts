import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaasError } from '../../provider/types/errors.ts';
import { providerConformance } from '../conformance/provider.ts';
import { createWatcher } from '../conformance/watcher.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { listen } from '../helpers/listen.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { createMemoryProvider } from './provider.ts';

const refuse = (image: string): string | undefined => (image === 'none:1' ? 'image: none:1 is not here' : undefined);

for (const transport of ['ports', 'sockets'] as const) {
  providerConformance(`memory provider on ${transport}`, async (t) => {
    const provider = createMemoryProvider({ refuse, ...(transport === 'sockets' ? { socketDir: await makeTmpDir(t) } : {}) });
    return {
      provider,
      bundleImage: async (kind) => `${kind}:1`,
      unknownImage: 'none:1',
      close: () => provider.close(),
    };
  });
}

const spec = { service: 'fn', namespace: 'openfaas-fn', image: 'echo:1' };
const ref = { name: 'fn', namespace: 'openfaas-fn' };

test('an operation of the memory provider fails when the test says so, once', async (t) => {
  const provider = createMemoryProvider();
  onEnd(t, () => provider.close());
  provider.failNext('deploy', new FaasError('internal', 'disk full'));
  await assert.rejects(provider.deploy(spec), { message: 'disk full' });
  await provider.deploy(spec);
  assert.equal(provider.count('deploy'), 2);
});

test('the memory provider starts nothing for a function whose address the test gives', async (t) => {
  const { port } = await listen(t, (_request, response) => response.end('mine'));
  const provider = createMemoryProvider({ address: () => ({ host: '127.0.0.1', port }) });
  onEnd(t, () => provider.close());
  const watcher = createWatcher();
  provider.watch(watcher.observer);
  await provider.deploy(spec);
  assert.equal((await watcher.call(ref)).text, 'mine');
});

test('a start of the memory provider waits for the test', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const provider = createMemoryProvider({ beforeStart: () => promise });
  onEnd(t, () => provider.close());
  const watcher = createWatcher();
  provider.watch(watcher.observer);
  await provider.deploy(spec);
  assert.deepEqual(watcher.endpoints(ref), []);
  resolve();
  await watcher.untilReady(ref);
});

test('the memory provider reports a failure that the test makes up', async (t) => {
  const provider = createMemoryProvider({ beforeStart: () => new Promise(() => undefined) });
  onEnd(t, () => provider.close());
  const watcher = createWatcher();
  provider.watch(watcher.observer);
  await provider.deploy(spec);
  provider.setFailure(ref, { reason: 'CrashLoop', message: 'boom' });
  assert.deepEqual(watcher.report(ref)?.failure, { reason: 'CrashLoop', message: 'boom' });
  provider.setFailure(ref, undefined);
  assert.equal(watcher.report(ref)?.failure, undefined);
});
