// Thousands of valid calls by chance, each made twice: directly at a server, and through the gateway at the same server. Both
// must see the same. docs/edges.md says how to repeat a run.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { within } from '../../helpers/eventually.ts';
import { createRandom, type Random, takeSeed } from '../../helpers/random.ts';
import { connectRaw, type Pair, type RawAnswer, type RawClient } from '../../helpers/raw-client.ts';
import { listen, startRig } from '../invoke/rig.ts';
import { type AnswerPlan, type ConnectionPlan, connectionPlan, type RequestPlan } from './generate.ts';

const wantedRequests = Number(process.env.TEST_CASES ?? 5000);
const atOnce = 8;

/** Not compared in answers: they belong to one connection, or tell the time. */
const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date']);

/** What the gateway adds to answers; `Content-Type` only where the function sends none. */
const addedToAnswers = new Set(['x-call-id', 'x-start-time', 'x-served-by']);

/** Framing and addressing, which are compared apart, what the gateway adds, and what is between it and the client. */
const apartInRequests = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'x-call-id',
  'x-start-time',
  'x-forwarded-for',
  'x-forwarded-host',
  'user-agent',
]);

type Seen = {
  readonly method: string;
  readonly url: string;
  readonly raw: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
};

const flat = (pairs: readonly Pair[]): string[] => pairs.flat();

const toPairs = (raw: readonly string[]): Pair[] =>
  Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] as string, raw[2 * i + 1] as string]);

const headerIn = (raw: readonly string[], name: string): string | undefined =>
  toPairs(raw).find(([each]) => each.toLowerCase() === name)?.[1];

const send = (res: ServerResponse, plan: AnswerPlan): void => {
  for (const { status, headers } of plan.informational) res.writeInformation(status, flat(headers));
  const headers = flat(plan.headers);
  if (plan.framing === 'length') headers.push('Content-Length', String(plan.chunks.join('').length));
  if (plan.framing === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  if (plan.framing === 'close') {
    res.useChunkedEncodingByDefault = false;
    headers.push('Connection', 'close');
  }
  if (plan.trailers.length > 0) headers.push('Trailer', plan.trailers.map(([name]) => name).join(', '));
  if (plan.reason === undefined) res.writeHead(plan.status, headers);
  else res.writeHead(plan.status, plan.reason, headers);
  for (const chunk of plan.chunks) res.write(chunk, 'latin1');
  if (plan.trailers.length > 0) res.addTrailers(plan.trailers as [string, string][]);
  res.end();
};

const readAll = async (req: IncomingMessage): Promise<string> => {
  let body = '';
  for await (const chunk of req.setEncoding('latin1')) body += chunk;
  return body;
};

/** Answers as planned for the request's `X-Case`, and remembers what it saw. */
const startServer = async (
  t: TestContext,
  plans: Map<string, AnswerPlan>,
): Promise<{ port: number; seen: Map<string, Seen> }> => {
  const seen = new Map<string, Seen>();
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const id = req.headers['x-case'] as string;
    const body = await readAll(req);
    seen.set(id, { method: req.method as string, url: req.url as string, raw: req.rawHeaders, body, trailers: req.rawTrailers });
    send(res, plans.get(id) as AnswerPlan);
  };
  const server = createServer(
    { maxHeaderSize: 2 ** 20 },
    (req, res) => void answer(req, res).catch((error) => res.destroy(error)),
  );
  const address = await listen(t, server, undefined, () => server.closeAllConnections());
  return { port: (address as { port: number }).port, seen };
};

const withBody = (plan: RequestPlan): [head: string, body: string] => {
  const { body } = plan;
  if (body.kind === 'none') return ['', ''];
  if (body.kind === 'length') return [`Content-Length: ${body.text.length}\r\n`, body.text];
  const extension = body.extensions ? ';a=b;c="d;e"' : '';
  const chunks = body.chunks.map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`).join('');
  const trailers = body.trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const announced = body.trailers.length === 0 ? '' : `Trailer: ${body.trailers.map(([name]) => name).join(',')}\r\n`;
  return [`${announced}Transfer-Encoding: chunked\r\n`, `${chunks}0${extension}\r\n${trailers}\r\n`];
};

const toBytes = (plan: RequestPlan, prefix: string): [head: string, body: string] => {
  const [framing, body] = withBody(plan);
  const target = plan.rest.startsWith('/') ? plan.rest : prefix === '' ? `/${plan.rest}` : plan.rest;
  const headers = plan.headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const expect = plan.expect ? 'Expect: 100-continue\r\n' : '';
  return [
    `${plan.method} ${prefix}${target} HTTP/${plan.version}\r\nHost: shop.example:8080\r\nX-Case: ${plan.id}\r\n${headers}${expect}${framing}\r\n`,
    body,
  ];
};

const converse = async (client: RawClient, plan: ConnectionPlan, prefix: string): Promise<(RawAnswer | undefined)[]> => {
  const parts = plan.calls.map(({ request }) => toBytes(request, prefix));
  if (plan.pipelined) client.send(parts.flat().join(''));
  const answers: (RawAnswer | undefined)[] = [];
  for (const [i, { request }] of plan.calls.entries()) {
    const [head, body] = parts[i] as [string, string];
    if (request.expect) {
      const before = client.received.length;
      client.send(head);
      await client.until('HTTP/1.1 100 Continue\r\n\r\n', before);
      client.send(body);
    } else if (!plan.pipelined) client.send(head + body);
    answers.push(await client.answer(request.method));
  }
  client.socket.destroy();
  return answers;
};

const told = (answer: RawAnswer | undefined, plan: AnswerPlan, method: string): unknown => {
  if (answer === undefined) return 'cut';
  const typed = plan.headers.some(([name]) => name.toLowerCase() === 'content-type');
  const headers = answer.headers.filter(([name]) => {
    const lower = name.toLowerCase();
    if (ofConnection.has(lower) || addedToAnswers.has(lower)) return false;
    // No trailers follow the answer to HEAD, and node:http lets nobody announce them.
    return (typed || lower !== 'content-type') && (method !== 'HEAD' || lower !== 'trailer');
  });
  return { ...answer, headers };
};

const shown = (seen: Seen | undefined): unknown => {
  if (seen === undefined) return 'nothing';
  const { method, url, raw, body, trailers } = seen;
  const length = headerIn(raw, 'content-length');
  return {
    method,
    url,
    body,
    host: headerIn(raw, 'host'),
    // Where there is no body, `Content-Length: 0` says no more than nothing.
    trailers,
    length: body === '' ? undefined : length,
    headers: toPairs(raw).filter(([name]) => !apartInRequests.has(name.toLowerCase())),
  };
};

/** Made one by one: all plans of a long run would not fit into the memory. */
function* connectionPlans(random: Random): Generator<ConnectionPlan> {
  let connections = 0;
  for (let calls = 0; calls < wantedRequests; ) {
    const plan = connectionPlan(random, connections);
    connections += 1;
    calls += plan.calls.length;
    yield plan;
  }
}

test('thousands of valid calls are the same through the gateway as without it', async (t) => {
  const answers = new Map<string, AnswerPlan>();
  const direct = await startServer(t, answers);
  const behind = await startServer(t, answers);
  const rig = await startRig(t);
  rig.ready('fn.openfaas-fn', { host: '127.0.0.1', port: behind.port });

  const compare = async (plan: ConnectionPlan): Promise<void> => {
    for (const { request, answer } of plan.calls) answers.set(request.id, answer);
    const what = JSON.stringify(plan).slice(0, 4000);
    const [one, other] = await within(
      Promise.all([
        connectRaw(direct.port).then((client) => converse(client, plan, '')),
        connectRaw(rig.port).then((client) => converse(client, plan, '/function/fn')),
      ]),
      `the answers to ${what}`,
    );
    for (const [i, { request, answer }] of plan.calls.entries()) {
      assert.deepEqual(
        told(other[i], answer, request.method),
        told(one[i], answer, request.method),
        `answer to ${request.id} of ${what}`,
      );
      assert.deepEqual(
        shown(behind.seen.get(request.id)),
        shown(direct.seen.get(request.id)),
        `request ${request.id} of ${what}`,
      );
      assert.notEqual(one[i], undefined, `the server itself cut ${request.id} of ${what}`);
      for (const kept of [answers, direct.seen, behind.seen]) kept.delete(request.id);
      calls += 1;
    }
    connections += 1;
  };

  let calls = 0;
  let connections = 0;
  const plans = connectionPlans(createRandom(takeSeed(t)));
  const work = async (): Promise<void> => {
    for (let next = plans.next(); !next.done; next = plans.next()) await compare(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  assert.ok(calls >= wantedRequests, `${calls} calls`);
  t.diagnostic(`${calls} calls on ${connections} connections, twice`);
});
