// Functions that are labelled for it go to zero and come back, through the real gateway: under callers at every moment of it,
// and with far more callers than anybody expects.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeHandlerBundle } from '../helpers/bundle.ts';
import { type CallAnswer, call } from '../helpers/call.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { createRandom, takeSeed } from '../helpers/random.ts';

const forZero = { 'com.openfaas.scale.zero': 'true' };
const plain = `export const handler = async (request) => new Response(await request.text());`;

const metricsOf = async (gateway: RunningGateway): Promise<string> =>
  (await call(`http://127.0.0.1:${gateway.metricsPort}`, { path: '/metrics' })).text;

/** Sum of the samples of a name whose labels match. */
const total = (metrics: string, name: string, labels = ''): number => {
  const lines = metrics.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
};

const replicasOf = async (gateway: RunningGateway, name: string): Promise<number> =>
  JSON.parse((await gateway.control('GET', `/system/function/${name}`)).text).replicas ?? 0;

test('200 times to zero and back, with callers at every moment of it: no failed call, and every cold start is told apart', async (t) => {
  const times = 200;
  const names = Array.from({ length: 10 }, (_, index) => `fn${index}`);
  const random = createRandom(takeSeed(t));
  const gateway = await startGateway(t, { args: ['--zero-duration', '30ms', '--idle-check', '10ms', '--pool-size', '4'] });
  const bundle = await makeHandlerBundle('fn', plain);
  for (const name of names) {
    await gateway.deploy(name, bundle);
    // Only now, or it might be gone before it is seen to answer.
    const labelled = { service: name, image: bundle.image, labels: forZero };
    assert.equal((await gateway.control('PUT', '/system/functions', labelled)).status, 202);
  }
  const zeros = async (): Promise<number> => total(await metricsOf(gateway), 'gateway_function_scalings_total', 'cause="idle"');
  let done = false;
  let calls = 0;
  const keepCalling = async (name: string): Promise<void> => {
    while (!done) {
      // The way down begins after 30 to 40 ms, and a replica takes a few to end.
      await sleep(random.next() < 0.4 ? 20 + random.below(20) : 30 + random.below(60));
      const bodies = Array.from({ length: 1 + random.below(3) }, (_, index) => `${calls + index}`);
      calls += bodies.length;
      const answers = await Promise.all(bodies.map((body) => gateway.call(name, { method: 'POST', body })));
      for (const [index, { status, text }] of answers.entries()) assert.deepEqual([status, text], [200, bodies[index]]);
    }
  };
  const callers = Promise.all(names.map(keepCalling)).finally(() => {
    done = true;
  });
  const counting = eventually(async () => done || (await zeros()) >= times, {
    what: `${times} times at zero`,
    timeoutMs: 150_000,
    intervalMs: 200,
  }).finally(() => {
    done = true;
  });
  await Promise.all([callers, counting]);
  for (const name of names) {
    await eventually(async () => (await replicasOf(gateway, name)) === 0, { what: `${name} is at zero, and stays there` });
  }
  const metrics = await metricsOf(gateway);
  const cold = total(metrics, 'gateway_function_cold_starts_total');
  // Nothing else has woken them: an order for each time they went, and for each time a call kept one from it.
  const woken = total(metrics, 'gateway_function_scalings_total', 'cause="call"');
  assert.ok(woken >= total(metrics, 'gateway_function_scalings_total', 'cause="idle"') - names.length, `${woken} orders to wake`);
  t.diagnostic(`${calls} calls, ${await zeros()} times at zero, ${cold} calls that waited for a replica`);
  assert.ok(total(metrics, 'gateway_function_scalings_total', 'cause="idle"') >= times);
  assert.equal(total(metrics, 'gateway_function_invocation_total', 'code="200"'), calls);
  assert.equal(total(metrics, 'gateway_function_invocation_total'), calls);
  assert.equal(total(metrics, 'gateway_function_invocation_inflight'), 0);
  assert.equal(total(metrics, 'gateway_function_waiting'), 0);
  for (const phase of ['wait', 'schedule', 'boot', 'load', 'first_answer']) {
    assert.equal(total(metrics, 'gateway_cold_start_seconds_count', `"${phase}"`), cold, phase);
    assert.equal(total(metrics, 'gateway_function_cold_start_seconds_count', `"${phase}"`), cold, phase);
  }
});

/** Loads until its gate, a server of the test, lets it go on. */
const gated = `
await fetch(process.env.GATE);
export const handler = async (request) => new Response(await request.text());
`;

const openGate = async (t: TestContext) => {
  const held = new Set<ServerResponse>();
  let open = false;
  const server = createServer((_req, res) => (open ? void res.end() : void held.add(res)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set(next: boolean) {
      open = next;
      if (!open) return;
      for (const res of held) res.end();
      held.clear();
    },
  };
};

test('the phases of a cold start add up to the time that its caller waited', async (t) => {
  const gate = await openGate(t);
  const gateway = await startGateway(t, { args: ['--pool-size', '0', '--park-idle', '0'] });
  gate.set(true);
  await gateway.deployHandler('fn', gated, { envVars: { GATE: gate.url } });
  await gateway.control('POST', '/system/scale-function/fn', { replicas: 0 });
  await eventually(async () => (await replicasOf(gateway, 'fn')) === 0, { what: 'fn is at zero' });
  gate.set(false);
  const startedMs = performance.now();
  const answer = gateway.call('fn');
  await sleep(400);
  gate.set(true);
  assert.equal((await answer).status, 200);
  const tookS = (performance.now() - startedMs) / 1000;
  const metrics = await metricsOf(gateway);
  const phase = (name: string): number => total(metrics, 'gateway_cold_start_seconds_sum', `"${name}"`);
  const sum = total(metrics, 'gateway_cold_start_seconds_sum');
  const ofFunction = total(metrics, 'gateway_function_cold_start_seconds_sum');
  const whole = total(metrics, 'gateway_functions_seconds_sum');
  t.diagnostic(
    ['wait', 'schedule', 'boot', 'load', 'first_answer'].map((name) => `${name} ${phase(name).toFixed(3)}`).join(', '),
  );
  assert.ok(Math.abs(sum - ofFunction) < 1e-9);
  // The call itself goes on for the moment from the beginning of its answer to the end.
  assert.ok(sum <= whole && whole - sum < 1, `${sum} of ${whole}`);
  // The answer may arrive before the gateway has put its clock away.
  assert.ok(whole <= tookS + 0.5, `${whole} of ${tookS}`);
  assert.ok(phase('boot') > 0, 'a process was booted');
  assert.ok(phase('load') > 0.1, 'its code took its time to load');
  assert.equal(total(metrics, 'gateway_function_scalings_total', 'cause="api"'), 1);
  assert.equal(total(metrics, 'gateway_function_scalings_total', 'cause="call"'), 1);
});

const residentBytes = async (gateway: RunningGateway): Promise<number> => {
  const status = await readFile(`/proc/${gateway.program().pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
};

const callMany = (gateway: RunningGateway, count: number, onAnswer: (answer: CallAnswer) => void): Promise<unknown> =>
  Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const answer = await gateway.call('fn', { method: 'POST', body: String(index), timeoutMs: 60_000 });
      if (answer.status === 200) assert.equal(answer.text, String(index));
      onAnswer(answer);
    }),
  );

const slowToStart = `
await new Promise((resolve) => setTimeout(resolve, 1000));
export const handler = async (request) => new Response(await request.text());
`;

test('2,000 callers of a function at zero that takes a second to start are all answered, and cost little memory', async (t) => {
  const gateway = await startGateway(t);
  await gateway.deployHandler('fn', slowToStart, { labels: forZero });
  await gateway.control('POST', '/system/scale-function/fn', { replicas: 0 });
  await eventually(async () => (await replicasOf(gateway, 'fn')) === 0, { what: 'fn is at zero' });
  const before = await residentBytes(gateway);
  let statuses: number[] = [];
  const answered = callMany(gateway, 2000, ({ status }) => void statuses.push(status));
  await within(answered, '2,000 answers', 90_000);
  const grownMb = ((await residentBytes(gateway)) - before) / 1e6;
  assert.equal(statuses.filter((status) => status === 200).length, 2000);
  statuses = [];
  const metrics = await metricsOf(gateway);
  assert.equal(total(metrics, 'gateway_function_scalings_total', 'cause="call"'), 1, 'one order to wake');
  assert.equal(total(metrics, 'gateway_function_waiting'), 0);
  t.diagnostic(`${grownMb.toFixed(0)} MB more in the gateway`);
  assert.ok(grownMb < 200, `${grownMb} MB`);
});

test('with room for 500 of 2,000 callers, 1,500 get 503 with Retry-After before anybody is answered', async (t) => {
  const gate = await openGate(t);
  const gateway = await startGateway(t, { args: ['--max-waiting-calls', '500'] });
  gate.set(true);
  await gateway.deployHandler('fn', gated, { labels: forZero, envVars: { GATE: gate.url } });
  await gateway.control('POST', '/system/scale-function/fn', { replicas: 0 });
  await eventually(async () => (await replicasOf(gateway, 'fn')) === 0, { what: 'fn is at zero' });
  gate.set(false);
  const refused: CallAnswer[] = [];
  let good = 0;
  const answered = callMany(gateway, 2000, (answer) => {
    if (answer.status === 200) good += 1;
    else refused.push(answer);
  });
  answered.catch(() => undefined);
  await eventually(() => refused.length >= 1500, { what: '1,500 refusals while the function starts', timeoutMs: 25_000 });
  assert.equal(good, 0);
  assert.equal(total(await metricsOf(gateway), 'gateway_function_waiting'), 500);
  gate.set(true);
  await within(answered, 'the other 500', 60_000);
  assert.deepEqual([good, refused.length], [500, 1500]);
  for (const { status, headers } of refused) {
    assert.deepEqual([status, headers['x-error-reason'], headers['retry-after']], [503, 'TooManyWaiting', '1']);
  }
  assert.equal(total(await metricsOf(gateway), 'gateway_function_refused_total', '"TooManyWaiting"'), 1500);
});
