// Section 3.4 of the OpenFaaS contract: the metrics of a watchdog, by name, type, labels and buckets, after a known load.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../helpers/eventually.ts';
import { boundsOf, labelNames, parseExposition, sampleOf } from '../helpers/exposition.ts';
import { startBlank } from './blank-process.ts';

const source = `module.exports = async (event, context) => {
  if (event.path === '/slow') await new Promise((go) => setTimeout(go, 60));
  if (event.path === '/hang') await new Promise(() => {});
  return context.status(event.path === '/bad' ? 500 : 200).succeed('x');
}`;

test('name, type, labels and buckets are those of the sheet, and the values those of the load', async (t) => {
  const blank = await startBlank(t, { 'handler.js': source });
  assert.equal((await blank.specialize()).status, 200);
  for (let each = 0; each < 5; each += 1) assert.equal((await blank.call('/')).status, 200);
  for (let each = 0; each < 2; each += 1) assert.equal((await blank.call('/bad', { body: 'x' })).status, 500);
  assert.equal((await blank.call('/slow')).status, 200);
  await blank.call('/_/health');
  await blank.call('/_/ready');
  const scrape = async () =>
    parseExposition((await blank.call('/_/metrics', { headers: { authorization: 'Bearer a-token' } })).body);
  blank.call('/hang').catch(() => undefined);
  await eventually(async () => sampleOf(await scrape(), 'http_requests_in_flight') === 1, { what: 'one call runs' });

  const metrics = await scrape();
  const shape = (name: string) => {
    const family = metrics.get(name)!;
    return [family.type, labelNames(family), family.help !== ''];
  };
  assert.deepEqual(shape('http_requests_total'), ['counter', ['code', 'method'], true]);
  assert.deepEqual(shape('http_request_duration_seconds'), ['histogram', ['code', 'method'], true]);
  assert.deepEqual(shape('http_requests_in_flight'), ['gauge', [], true]);
  assert.deepEqual(boundsOf(metrics.get('http_request_duration_seconds')!), [
    ...['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'],
  ]);
  const good = { code: '200', method: 'get' };
  assert.equal(sampleOf(metrics, 'http_requests_total', good), 6);
  assert.equal(sampleOf(metrics, 'http_requests_total', { code: '500', method: 'post' }), 2);
  assert.equal(sampleOf(metrics, 'http_request_duration_seconds_count', good), 6);
  assert.equal(sampleOf(metrics, 'http_request_duration_seconds_bucket', { ...good, le: '+Inf' }), 6);
  assert.ok(sampleOf(metrics, 'http_request_duration_seconds_bucket', { ...good, le: '0.05' }) <= 5);
  assert.ok(sampleOf(metrics, 'http_request_duration_seconds_sum', good) >= 0.055);
});
