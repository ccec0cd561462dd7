// The way to the API server: one that dies without a word is given up, and nothing else is lost with it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import type { KubeApi } from '../../../provider/kubernetes/api.ts';
import { createKubeApi } from '../../../provider/kubernetes/client.ts';
import { createInformer, type Informer } from '../../../provider/kubernetes/informer.ts';
import type { KubeObject } from '../../../provider/kubernetes/objects.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { type Front, startFront } from './front.ts';
import { type FakeKubeApi, startKubeApi } from './kube-api.ts';

type Scene = {
  readonly server: FakeKubeApi;
  readonly front: Front;
  readonly api: KubeApi;
  readonly informer: Informer;
  readonly known: ReadonlySet<string>;
};

const setUp = async (t: TestContext, silenceMs: number): Promise<Scene> => {
  const server = await startKubeApi(t);
  const front = await startFront(t, server.url);
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server: front.url, skipTLSVerify: true }, { name: 'u', token: 'secret' });
  const api = createKubeApi({ config, server: front.url, inside: false });
  onEnd(t, () => api.close());
  const known = new Set<string>();
  const informer = createInformer<KubeObject>({
    api,
    what: 'things',
    path: '/things',
    query: {},
    trim: (each) => each,
    follower: {
      replaced(items) {
        for (const { metadata } of items) known.add(metadata.name);
      },
      changed: ({ metadata }) => void known.add(metadata.name),
      removed: ({ metadata }) => void known.delete(metadata.name),
    },
    log: { debug() {}, info() {}, warn() {}, error() {} },
    now: Date.now,
    silenceMs,
  });
  onEnd(t, () => informer.close());
  await within(informer.synced, 'the first list');
  await eventually(() => server.openWatches() === 1 && informer.staleMs() === 0, { what: 'the watch' });
  return { server, front, api, informer, known };
};

test('after a path to the API server has died, the watch goes on over another, and requests do', async (t) => {
  const { server, front, api, known } = await setUp(t, 500);
  assert.deepEqual([...new Set(front.protocols)], ['http/1.1'], 'nothing shares a connection with a watch');
  front.silence();
  server.put({ metadata: { name: 'b' } });
  await eventually(() => known.has('b'), { what: 'what happened after the path had died', timeoutMs: 20_000 });
  // A connection that died while nobody used it serves nobody again either.
  const ask = (): Promise<unknown> => api.call('GET', '/version', { timeoutMs: 500 });
  await eventually(ask, { what: 'an answer', timeoutMs: 20_000 });
});

test('what is known is as old as the last word of a watch that is given up for its silence', async (t) => {
  const { server, front, informer } = await setUp(t, 2000);
  const slow = Promise.withResolvers<void>();
  onEnd(t, () => slow.resolve());
  server.before('GET /things', () => slow.promise);
  front.silence();
  const staleMs = await eventually(() => informer.staleMs(), { what: 'staleness', timeoutMs: 20_000 });
  assert.ok(staleMs >= 2000, `${staleMs} ms after two seconds of silence`);
  slow.resolve();
  await eventually(() => informer.staleMs() === 0, { what: 'a true view' });
});

test('of many requests at once most wait for a connection of the others', async (t) => {
  const { front, api } = await setUp(t, 90_000);
  const before = front.protocols.length;
  await within(Promise.all(Array.from({ length: 300 }, () => api.call('GET', '/version'))), '300 answers', 30_000);
  const made = front.protocols.length - before;
  assert.ok(made <= 64, `${made} connections`);
});

const table = '/proc/net/tcp';

/** Timers of open connections to a port, as Linux counts them: kind, and hundredths of a second until it runs out. */
const timersTo = async (port: number): Promise<{ kind: number; left: number }[]> => {
  const rows = (await readFile(table, 'utf8')).split('\n').slice(1);
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return rows.flatMap((row) => {
    const [, , remote = '', state, , timer = ''] = row.trim().split(/\s+/);
    if (!remote.endsWith(`:${hex}`) || state !== '01') return [];
    const [kind = 0, left = 0] = timer.split(':').map((each) => Number.parseInt(each, 16));
    return [{ kind, left }];
  });
};

test('a silent connection to the API server is asked about after five seconds', {
  skip: existsSync(table) ? false : `only where ${table} shows the timers of connections`,
}, async (t) => {
  const { front } = await setUp(t, 90_000);
  const keepAlive = 2;
  const isAsked = ({ kind, left }: { kind: number; left: number }): boolean => kind === keepAlive && left <= 500;
  await eventually(
    async () => {
      const timers = await timersTo(front.port);
      return timers.length > 0 && timers.every(isAsked);
    },
    { what: 'a timer of five seconds on every connection' },
  );
});
