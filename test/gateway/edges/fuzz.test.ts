// Valid requests with wrong bytes in them, by chance, against a reader that knows nothing but the RFC: what reaches the function
// is what that reader sees, every answer is the answer to its request, and no connection is left without an answer or an end.
// docs/edges.md says how to repeat a run, and how to make a long one.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, within } from '../../helpers/eventually.ts';
import { createRandom, takeSeed } from '../../helpers/random.ts';
import { connectRaw, headerOf, type RawAnswer, type RawClient } from '../../helpers/raw-client.ts';
import { ownAnswer, type Recorder, startRecorder } from '../../helpers/recorder.ts';
import { type Rig, startRig } from '../invoke/rig.ts';
import { hostileBytes } from './mutate.ts';
import { type Reading, readRequests, type StrictRequest } from './strict-reader.ts';

const cases = Number(process.env.TEST_CASES ?? 1500);
const usualSeed = 637_699;
const atOnce = 8;

/** A function of its own for each that works, so that one's bytes are not taken for another's. */
type Lane = {
  readonly rig: Rig;
  readonly recorder: Recorder;
  readonly name: string;
  readonly random: ReturnType<typeof createRandom>;
};

/** The target as the function gets it; `undefined` when it is not for this function. */
const targetFor = (target: string, prefix: string): string | undefined => {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  if (!path.startsWith(prefix)) return undefined;
  const rest = path.slice(prefix.length);
  if (rest === '') return '/';
  return rest.startsWith('/') ? rest : rest.startsWith('?') ? `/${rest}` : undefined;
};

const isSame = (seen: StrictRequest, sent: StrictRequest, prefix: string): boolean =>
  seen.method === sent.method &&
  seen.target === targetFor(sent.target, prefix) &&
  (seen.isComplete ? sent.isComplete && seen.body === sent.body : sent.body.startsWith(seen.body));

/** Every request that the function has seen is one of those that were sent, in the same order. */
const checkSeen = (seen: readonly StrictRequest[], sent: Reading, prefix: string): void => {
  let at = 0;
  for (const request of seen) {
    while (at < sent.requests.length && !isSame(request, sent.requests[at] as StrictRequest, prefix)) at += 1;
    assert.ok(at < sent.requests.length, `the function saw ${JSON.stringify(request)}`);
    at += 1;
  }
};

/** What the function says to a request. */
const sayingOf = ({ method, target }: StrictRequest, prefix: string): string =>
  `answer to ${method} ${targetFor(target, prefix)}`;

const isFunctions = (answer: RawAnswer): boolean => headerOf(answer, 'x-served-by') !== undefined && !isGateways(answer);

const isGateways = (answer: RawAnswer): boolean => headerOf(answer, 'x-openfaas-internal') !== undefined;

/**
 * The answers are to the requests, one each, in order. What cannot be read gets one more, which refuses it; so does a request
 * whose body does not come to its end, unless it was answered before.
 */
const checkAnswers = async (client: RawClient, { requests }: Reading, prefix: string): Promise<void> => {
  for (const request of requests) {
    if (!request.isComplete) break;
    const answer = await within(client.answer(request.method), `an answer to ${request.method} ${request.target}, or the end`);
    if (answer === undefined) break;
    if (isFunctions(answer) && request.method !== 'HEAD') assert.equal(answer.body, sayingOf(request, prefix));
  }
  client.halfClose();
  await within(client.end(), 'the end of the connection');
  const last = requests.at(-1);
  const unfinished = last?.isComplete === false ? last : undefined;
  const more = await client.answer(unfinished?.method ?? 'GET');
  if (more === undefined) return;
  if (unfinished === undefined) assert.ok(isGateways(more), `an answer to what is no request: ${more.body}`);
  else if (isFunctions(more) && unfinished.method !== 'HEAD') assert.equal(more.body, sayingOf(unfinished, prefix));
  assert.equal(client.rest, '', 'bytes behind the last answer');
};

const attack = async ({ rig, recorder, name, random }: Lane, id: string): Promise<void> => {
  const prefix = `/function/${name}`;
  const key = `${name}.openfaas-fn`;
  const parts = hostileBytes(random, prefix);
  const sent = readRequests(parts.join(''));
  const before = recorder.connections.length;
  rig.ready(key, { host: '127.0.0.1', port: recorder.port }, id);
  const client = await connectRaw(rig.port);
  try {
    for (const [i, part] of parts.entries()) {
      if (i > 0) await delay(random.below(3));
      client.send(part);
    }
    await checkAnswers(client, sent, prefix);
    await within(rig.gone(key, id), 'the end of all calls');
    const connections = recorder.connections.slice(before);
    await eventually(() => connections.every(({ open }) => !open), { what: 'the end of all connections to the function' });
    const readings = connections.map(({ bytes }) => readRequests(bytes));
    for (const { end } of readings) assert.notEqual(end, 'invalid', 'the function saw what is no request');
    const seen = readings.flatMap(({ requests }) => requests);
    checkSeen(seen, sent, prefix);
  } catch (error) {
    const text = `${(error as Error).message}\nsent ${JSON.stringify(parts)}\nread ${JSON.stringify(sent)}`;
    const saw = recorder.connections.slice(before).map(({ bytes }) => bytes);
    throw new Error(`${text}\nthe function saw ${JSON.stringify(saw)}\nthe client got ${JSON.stringify(client.received)}`);
  } finally {
    client.socket.destroy();
  }
};

const startLane = async (t: TestContext, rig: Rig, name: string, seed: number): Promise<Lane> => {
  const random = createRandom(seed);
  const recorder = await startRecorder(t, (request) => ({
    ...ownAnswer(request),
    ...(random.below(10) === 0 ? { at: 'head' as const } : {}),
  }));
  return { rig, recorder, name, random };
};

test('requests with wrong bytes in them reach a function as what they are, or not at all', async (t) => {
  const seed = takeSeed(t, usualSeed);
  const rig = await startRig(t);
  const names = Array.from({ length: atOnce }, (_, i) => 'abcdefgh'.charAt(i).repeat(6));
  const lanes = await Promise.all(names.map((name, i) => startLane(t, rig, name, seed * atOnce + i)));
  const work = async (lane: Lane): Promise<void> => {
    for (let i = 0; i < cases / atOnce; i += 1) await attack(lane, `${lane.name}-${i}`);
  };
  await Promise.all(lanes.map(work));
  const seen = lanes.flatMap(({ recorder }) => recorder.connections).filter(({ bytes }) => bytes !== '').length;
  t.diagnostic(`${cases} connections, ${seen} of them reached a function`);
  assert.ok(seen > cases / 10, `only ${seen} of ${cases} reached a function`);
});
