// Every case of the table, on a connection to the function that nobody used before and on one that another client's call left
// behind. After each a victim calls: it must get the answer to its own request, and the function must have seen exactly the
// bytes that the table says, nothing more and in no other order.
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, within } from '../../helpers/eventually.ts';
import { connectRaw, headerOf, type RawAnswer, type RawClient } from '../../helpers/raw-client.ts';
import { ownAnswer, type RawRequest, type Recorder, type Script, startRecorder } from '../../helpers/recorder.ts';
import { startRig } from '../invoke/rig.ts';
import { forwarded, type HostileCase, type Step } from './case.ts';
import { hostileCases } from './hostile.ts';

const call = (name: string, extra = ''): string => `GET /function/fn/${name} HTTP/1.1\r\nHost: h\r\n${extra}\r\n`;

/** Bytes without what differs from call to call. */
const settled = (bytes: string): string =>
  bytes
    .replace(/X-Call-Id: [0-9a-f-]{36}\r\n/gi, 'X-Call-Id: <id>\r\n')
    .replace(/X-Start-Time: \d{19}\r\n/gi, 'X-Start-Time: <time>\r\n')
    .replace(/X-Forwarded-For: 127\.0\.0\.1:\d+\r\n/gi, 'X-Forwarded-For: <remote>\r\n');

const seenBy = (recorder: Recorder): string => settled(recorder.received);

/** `200 function`, or `400 gateway invalid`: status, who made the answer, and its code if that was not the function. */
const summary = (answer: RawAnswer | undefined): string => {
  if (answer === undefined) return 'cut';
  const component = headerOf(answer, 'x-openfaas-internal');
  if (component === undefined) return `${answer.status} ${headerOf(answer, 'x-served-by') === undefined ? 'other' : 'function'}`;
  return `${answer.status} ${component} ${headerOf(answer, 'x-error-code')}`;
};

const answerOf = async (port: number, bytes: string): Promise<RawAnswer | undefined> => {
  const client = await connectRaw(port);
  client.send(bytes);
  const answer = await within(client.answer('GET'), 'an ordinary call');
  client.socket.destroy();
  return answer;
};

const play = async (client: RawClient, recorder: Recorder, steps: readonly Step[]): Promise<void> => {
  for (const step of steps) {
    if (typeof step === 'string') client.send(step);
    else if ('heard' in step) await client.until(step.heard);
    else if ('seen' in step) while (!recorder.connections.some(({ bytes }) => bytes.includes(step.seen))) await delay(1);
    else if ('waitMs' in step) await delay(step.waitMs);
    else client.halfClose();
  }
};

const attack = async (port: number, recorder: Recorder, row: HostileCase): Promise<void> => {
  const client = await connectRaw(port);
  const steps = [row.send].flat();
  await within(play(client, recorder, steps), 'the case to be sent');
  const methods = row.methods ?? row.answers.map(() => 'POST');
  const answers: (RawAnswer | undefined)[] = [];
  for (const method of methods) answers.push(await within(client.answer(method), 'an answer'));
  assert.deepEqual(answers.map(summary), row.answers);
  for (const [i, check] of (row.check ?? []).entries()) check(answers[i] as RawAnswer);
  if (row.after === 'kept') {
    client.send(call('still-here'));
    const answer = await within(client.answer('GET'), 'an answer on the kept connection');
    assert.equal(answer?.body, 'answer to GET /still-here');
  } else {
    await within(client.end(), 'the connection to be closed');
  }
  if (row.answers.at(-1) !== 'cut') assert.equal(client.rest, '', 'bytes after the last answer');
  client.socket.destroy();
};

const run = async (t: TestContext, row: HostileCase, used: boolean): Promise<void> => {
  const script = (request: RawRequest): Script => {
    const plain = /^\/(first|victim|still-here)$/.test(request.target);
    return plain || row.function === undefined ? ownAnswer(request) : row.function(request);
  };
  const recorder = await startRecorder(t, script);
  const rig = await startRig(t, { headersTimeoutMs: row.headersTimeoutMs, checkMs: 20, upstreamTimeoutMs: row.timeoutMs });
  rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: recorder.port });
  let expected = '';
  if (used) {
    assert.equal((await answerOf(rig.port, call('first')))?.body, 'answer to GET /first');
    expected += forwarded('GET /first');
  }
  await attack(rig.port, recorder, row);
  expected += row.upstream;
  if (row.after === 'kept') expected += forwarded('GET /still-here');
  const victim = await answerOf(rig.port, call('victim'));
  expected += forwarded('GET /victim');
  assert.equal(victim?.status, 200);
  assert.equal(victim?.body, 'answer to GET /victim', 'the victim gets its own answer');
  // What was sent to the function before may arrive after what was sent on another connection.
  await eventually(() => seenBy(recorder).length >= expected.length, {
    what: 'all that the function may see',
    timeoutMs: 500,
  }).catch(() => undefined);
  assert.equal(seenBy(recorder), expected, 'what the function saw');
  // Otherwise the second run would say no more than the first.
  if (row.after === 'kept' && row.function === undefined)
    assert.equal(recorder.connections.length, 1, 'one connection was used by all');
  await eventually(() => rig.table.get('fn.openfaas-fn')?.inFlight === 0, { what: 'no call in flight' });
};

for (const [group, rows] of Object.entries(hostileCases)) {
  describe(group, { concurrency: 8 }, () => {
    for (const row of rows) {
      test(row.name, (t) => run(t, row, false));
      test(`${row.name}, on a connection that another client used before`, (t) => run(t, row, true));
    }
  });
}

test('the table has at least sixty cases, none twice', () => {
  const names = Object.values(hostileCases).flatMap((rows) => rows.map((row) => row.name));
  assert.ok(names.length >= 60, `${names.length} cases`);
  assert.equal(new Set(names).size, names.length);
});
