// A load of which every number is known: what it makes of the metrics is what dashboards have to show.
import type { ServerResponse } from 'node:http';
import { makeHandlerBundle } from '../helpers/bundle.ts';
import { type Cleanup, onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import type { RunningGateway } from '../helpers/gateway.ts';
import { listen } from '../helpers/listen.ts';

/** Takes as long as the query says: long enough to end in a wide bucket on a slow machine, too. */
const slowly = (ms: number): string => `
export const handler = async () => {
  await new Promise((resolve) => setTimeout(resolve, ${ms}));
  return new Response('done');
};`;

const broken = `export const handler = () => new Response('no', { status: 500 });`;
const quick = `export const handler = () => new Response('yes');`;
const looping = `throw new Error('not today'); export const handler = () => new Response('never');`;
const gated = (url: string): string => `await fetch('${url}'); export const handler = () => new Response('through');`;

const times = <T>(count: number, make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, make));

export type KnownLoad = {
  /** One call of each kind, so that every counter is there before the calls that count. */
  warmUp(): Promise<void>;
  /** Ten calls of busy, four of broken, four at once of narrow, one of sleepy from zero; three orders and three questions by API. */
  run(): Promise<void>;
  /** A call that runs, and one that waits for a first replica, until the test is over. */
  hold(): Promise<void>;
};

/** Deploys eight functions: busy, broken, narrow, sleepy, open, asleep, looping, which never starts, and gated, which does not yet. */
export const deployKnownFunctions = async (t: Cleanup, gateway: RunningGateway): Promise<KnownLoad> => {
  // Held answers: the function that asks goes on loading until the test is over.
  const held = new Set<ServerResponse>();
  const { url } = await listen(t, (_, res) => void held.add(res));
  onEnd(t, () => held.forEach((res) => void res.end()));

  await gateway.deployHandler('busy', slowly(1200), { labels: { 'com.openfaas.scale.max': '3' } });
  await gateway.deployHandler('broken', broken);
  const annotations = { 'sluice.dev/max-inflight': '1', 'sluice.dev/max-queue': '1' };
  await gateway.deployHandler('narrow', slowly(600), { annotations });
  await gateway.deployHandler('sleepy', quick, { labels: { 'com.openfaas.scale.target': '10' } });
  await gateway.deployHandler('open', slowly(600_000));
  await gateway.deployHandler('asleep', quick);
  const launch = async (name: string, source: string): Promise<void> => {
    const bundle = await makeHandlerBundle(name, source);
    await gateway.control('PUT', `/system/bundles/${bundle.digest}`, bundle.bytes);
    const { status, text } = await gateway.control('POST', '/system/functions', { service: name, image: bundle.image });
    if (status !== 202) throw new Error(`deploy of ${name}: ${status}: ${text}`);
  };
  await launch('looping', looping);
  await launch('gated', gated(url));
  const scale = async (name: string, replicas: number): Promise<void> => {
    const { status, text } = await gateway.control('POST', `/system/scale-function/${name}`, { serviceName: name, replicas });
    if (status >= 300) throw new Error(`scale ${name}: ${status}: ${text}`);
    await eventually(
      async () => {
        const answer = await gateway.control('GET', `/system/functions`);
        const list = JSON.parse(answer.text) as { name: string; availableReplicas?: number }[];
        return (list.find((each) => each.name === name)?.availableReplicas ?? 0) === replicas;
      },
      { what: `${replicas} replicas of ${name}`, timeoutMs: 30_000, intervalMs: 100 },
    );
  };
  await scale('busy', 3);
  await scale('asleep', 0);

  const wake = async (): Promise<void> => {
    await scale('sleepy', 0);
    await gateway.call('sleepy');
  };
  return {
    async warmUp() {
      await Promise.all([gateway.call('busy'), gateway.call('broken'), times(3, () => gateway.call('narrow')), wake()]);
      await gateway.control('GET', '/system/info');
    },
    async run() {
      await Promise.all([
        times(10, () => gateway.call('busy')),
        times(4, () => gateway.call('broken')),
        times(4, () => gateway.call('narrow')),
        times(3, () => gateway.control('GET', '/system/info')),
        wake(),
      ]);
    },
    async hold() {
      // They end with the gateway.
      for (const name of ['open', 'gated']) gateway.call(name, { timeoutMs: 120_000 }).catch(() => undefined);
      await eventually(() => held.size > 0, { what: 'gated loads', timeoutMs: 30_000 });
    },
  };
};
