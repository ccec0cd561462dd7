// Lists and watches go on whatever the API server does.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { createKubeApi } from '../../../provider/kubernetes/client.ts';
import { createInformer, type Informer } from '../../../provider/kubernetes/informer.ts';
import type { KubeObject } from '../../../provider/kubernetes/objects.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { type FakeKubeApi, startKubeApi } from './kube-api.ts';

type Scene = {
  readonly server: FakeKubeApi;
  readonly informer: Informer;
  /** Names and labels as they are known. */
  readonly known: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
};

const item = (name: string, value = '1'): KubeObject => ({ metadata: { name, labels: { value } } });
const quiet = { debug() {}, info() {}, error() {} };

type Ways = { readonly silenceMs?: number; readonly onChange?: () => void };

const setUp = async (t: TestContext, names: readonly string[], ways: Ways = {}): Promise<Scene> => {
  const { silenceMs = 90_000, onChange } = ways;
  const server = await startKubeApi(t);
  for (const name of names) server.put(item(name));
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server: server.url, skipTLSVerify: true }, { name: 'u', token: 'secret' });
  const api = createKubeApi({ config, server: server.url, inside: false });
  onEnd(t, () => api.close());
  const known = new Map<string, string>();
  const warnings: string[] = [];
  const set = ({ metadata }: KubeObject): void => void known.set(metadata.name, metadata.labels?.value ?? '');
  const changed = (each: KubeObject): void => {
    set(each);
    onChange?.();
  };
  const informer = createInformer<KubeObject>({
    api,
    what: 'things',
    path: '/things',
    query: {},
    trim: (each) => each,
    follower: {
      replaced(items) {
        known.clear();
        for (const each of items) set(each);
      },
      changed,
      removed: ({ metadata }) => void known.delete(metadata.name),
    },
    log: { ...quiet, warn: (_fields, message) => void warnings.push(message) },
    now: Date.now,
    silenceMs,
  });
  onEnd(t, () => informer.close());
  await within(informer.synced, 'the first list');
  await eventually(() => server.openWatches() === 1 && informer.staleMs() === 0, { what: 'the watch' });
  return { server, informer, known, warnings };
};

const names = (scene: Scene): string[] => [...scene.known.keys()].sort();
const sees = (scene: Scene, ...wanted: readonly string[]): Promise<unknown> =>
  eventually(() => names(scene).join() === wanted.join(), { what: `${wanted.join()} are known`, timeoutMs: 5000 });

test('what is there is listed page by page, and changes come as they happen', async (t) => {
  const many = Array.from({ length: 120 }, (_, index) => `n${String(index).padStart(3, '0')}`);
  const scene = await setUp(t, many);
  assert.deepEqual(names(scene), many);
  assert.equal(scene.server.requests.filter((request) => !request.includes('watch=')).length, 3);
  scene.server.put(item('new'));
  scene.server.put(item('n000', '2'));
  scene.server.remove('n001');
  await eventually(() => !scene.known.has('n001'), { what: 'the removal' });
  assert.deepEqual([scene.known.get('n000'), scene.known.has('new')], ['2', true]);
});

test('a watch that is cut goes on where it was, without a new list', async (t) => {
  const scene = await setUp(t, ['a']);
  const lists = (): number => scene.server.requests.filter((request) => !request.includes('watch=')).length;
  const before = lists();
  scene.server.cut();
  scene.server.put(item('b'));
  scene.server.remove('a');
  await sees(scene, 'b');
  assert.equal(lists(), before);
});

test('a resource version that is too old leads to a new list, which takes away what is gone', async (t) => {
  const scene = await setUp(t, ['a', 'b']);
  await scene.server.stop();
  scene.server.remove('a');
  scene.server.put(item('c'));
  scene.server.forgetHistory();
  await scene.server.start();
  await sees(scene, 'b', 'c');
});

test('an API server that is away makes the view stale, and its return makes it true', async (t) => {
  const scene = await setUp(t, ['a']);
  await scene.server.stop();
  await eventually(() => scene.informer.staleMs() > 0, { what: 'staleness' });
  assert.deepEqual(names(scene), ['a'], 'what was known stays');
  scene.server.put(item('b'));
  await scene.server.start();
  await sees(scene, 'a', 'b');
  await eventually(() => scene.informer.staleMs() === 0, { what: 'a true view' });
});

test('an API server that answers slowly makes the view stale meanwhile, and nothing is missed', async (t) => {
  const scene = await setUp(t, ['a']);
  const slow = Promise.withResolvers<void>();
  scene.server.before('GET /things', () => slow.promise);
  scene.server.cut();
  await eventually(() => scene.informer.staleMs() > 0, { what: 'staleness' });
  scene.server.put(item('b'));
  scene.server.remove('a');
  assert.deepEqual(names(scene), ['a'], 'what was known stays');
  slow.resolve();
  await sees(scene, 'b');
  await eventually(() => scene.informer.staleMs() === 0, { what: 'a true view' });
});

test('a watch without a word for too long is given up for another, and nobody is warned', async (t) => {
  const scene = await setUp(t, ['a'], { silenceMs: 100 });
  const watches = (): number => scene.server.requests.filter((request) => request.includes('watch=')).length;
  await eventually(() => watches() > 1, { what: 'a second watch' });
  scene.server.put(item('b'));
  await sees(scene, 'a', 'b');
  assert.deepEqual(scene.warnings, []);
});

test('of many changes that come at once a few are taken in a turn of the event loop', async (t) => {
  let turn = 0;
  const turns = new Set<number>();
  const scene = await setUp(t, [], {
    onChange: () => {
      turns.add(turn);
      const endMs = performance.now() + 0.5;
      while (performance.now() < endMs);
    },
  });
  let isCounting = true;
  const count = (): void => {
    turn += 1;
    if (isCounting) setImmediate(count);
  };
  onEnd(t, () => (isCounting = false));
  count();
  for (let index = 0; index < 200; index += 1) scene.server.put(item(`n${index}`));
  await eventually(() => scene.known.size === 200, { what: 'all changes' });
  assert.ok(turns.size >= 40, `${turns.size} turns for 200 changes of half a millisecond each`);
});

test('an idle informer asks for nothing', async (t) => {
  const scene = await setUp(t, ['a']);
  const before = scene.server.requests.length;
  scene.server.put(item('b'));
  await sees(scene, 'a', 'b');
  assert.equal(scene.server.requests.length, before);
});
