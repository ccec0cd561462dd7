import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownLoad } from '../../bench/own-load.ts';
import { parseWrk } from '../../bench/wrk.ts';
import { startUpstream } from '../helpers/upstream.ts';

const report = (more: string): string => `Running 1s test @ http://127.0.0.1:1/
  1 threads and 1 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    40.61us   17.44us   1.22ms   96.84%
  Latency Distribution
     50%   37.00us
     75%   42.00us
     90%   49.00us
     99%    1.50ms
  24373 requests in 1.10s, 3.49MB read
${more}Requests/sec:  22158.18
Transfer/sec:      3.17MB
`;

test("wrk's report is read in milliseconds", () => {
  assert.deepEqual(parseWrk(report('')), { calls: 24373, callsPerS: 22158.18, p50Ms: 0.037, p99Ms: 1.5, failures: 0 });
});

test('what wrk says about failures is added up', () => {
  const more = '  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n';
  assert.equal(parseWrk(report(more)).failures, 15);
});

test('output that is no report of wrk is an error', () => {
  assert.throws(() => parseWrk('unable to connect'), /wrk printed no .*unable to connect/s);
});

for (const method of ['GET', 'POST'] as const) {
  test(`our own load counts ${method} answers as often as they came`, async (t) => {
    const upstream = await startUpstream(t, (request, response) => response.end(request.body));
    const shape = { url: `${upstream.url}/a?b=c`, method, bodyBytes: 1024, connections: 4, durationMs: 200 };
    const { calls, callsPerS, p50Ms, p99Ms, failures } = await ownLoad.measure(shape);
    assert.equal(failures, 0);
    // Each connection may have asked once more than it was answered.
    const unanswered = upstream.requests.length - calls;
    assert.ok(unanswered >= 0 && unanswered <= shape.connections, `${calls} of ${upstream.requests.length}`);
    assert.ok(callsPerS > 0 && callsPerS <= calls / 0.2);
    assert.ok(p50Ms > 0 && p99Ms >= p50Ms);
    assert.equal(upstream.last().url, '/a?b=c');
    assert.equal(upstream.last().body.length, method === 'POST' ? 1024 : 0);
  });
}

test('our own load counts answers that are no 200, and connections that break', async (t) => {
  const bad = await startUpstream(t, (_request, response) => response.writeHead(503).end('no'));
  const shape = { method: 'GET', bodyBytes: 0, connections: 2, durationMs: 100 } as const;
  const refused = await ownLoad.measure({ ...shape, url: bad.url });
  assert.equal(refused.failures, refused.calls);
  assert.ok(refused.failures > 0);
  assert.ok((await ownLoad.measure({ ...shape, url: 'http://127.0.0.1:1/' })).failures >= 2);
});
