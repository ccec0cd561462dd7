// How long people wait: from a deployment to its first answer, and for a function that has no replica.
import type { RunningGateway } from '../test/helpers/gateway.ts';
import { expectStatus, makeBenchBundle, sendToZero, settle } from './functions.ts';
import { percentile } from './stats.ts';

export type Times = { readonly count: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

const timesOf = (values: readonly number[]): Times => ({
  count: values.length,
  p50Ms: percentile(values, 0.5),
  p99Ms: percentile(values, 0.99),
  maxMs: Math.max(...values),
});

const remove = async (gateway: RunningGateway, name: string): Promise<void> =>
  expectStatus(await gateway.control('DELETE', '/system/functions', { functionName: name }), 202, `remove ${name}`);

/** From the first byte of the deployment to the last of the first answer; the bundle is uploaded before. */
export const measureDeploys = async (gateway: RunningGateway, count: number, watchdogs: number): Promise<Times> => {
  const bundle = await makeBenchBundle('deployed');
  const upload = await gateway.control('PUT', `/system/bundles/${bundle.digest}`, bundle.bytes);
  if (upload.status >= 300) throw new Error(`upload: ${upload.status} ${upload.text}`);
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) {
    const name = `deployed-${round}`;
    const startedMs = performance.now();
    expectStatus(await gateway.control('POST', '/system/functions', { service: name, image: bundle.image }), 202, 'deploy');
    expectStatus(await gateway.call(name), 200, 'first call');
    times.push(performance.now() - startedMs);
    await remove(gateway, name);
    await settle(gateway, watchdogs);
  }
  return timesOf(times);
};

/**
 * The first answer of a function at zero, over and over.
 * @param watchdogs how many run while it is at zero: other functions' and the pool's
 */
export const measureWakes = async (gateway: RunningGateway, count: number, watchdogs: number): Promise<Times> => {
  const name = 'woken';
  await gateway.deploy(name, await makeBenchBundle(name));
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) {
    await sendToZero(gateway, name);
    await settle(gateway, watchdogs);
    const startedMs = performance.now();
    expectStatus(await gateway.call(name), 200, 'first call');
    times.push(performance.now() - startedMs);
  }
  await remove(gateway, name);
  await settle(gateway, watchdogs);
  return timesOf(times);
};
