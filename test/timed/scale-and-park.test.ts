// From zero to many replicas and back, by hand and by idleness, through the real gateway.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { FunctionStatus } from '../../provider/types/function.ts';
import { makeBundle } from '../helpers/bundle.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { connectRaw, headerOf } from '../helpers/raw-client.ts';
import { accept, echoUpgrade, handshake, maskedHello, plainHello } from '../helpers/web-socket.ts';

const whoAmI = `export const handler = async (request) => new Response(process.pid + ' ' + (await request.text()));`;

/** Takes its time to load, so that callers pile up; answers with the number of calls that came before. */
const slowToLoad = `
await new Promise((resolve) => setTimeout(resolve, 300));
let calls = 0;
export const handler = async (request) => new Response(\`\${process.pid} \${calls++} \${await request.text()}\`);
`;

const statusOf = async (gateway: RunningGateway, name: string): Promise<FunctionStatus> =>
  JSON.parse((await gateway.control('GET', `/system/function/${name}`)).text);

const hasReplicas = (gateway: RunningGateway, name: string, replicas: number, timeoutMs = 10_000): Promise<FunctionStatus> =>
  eventually(
    async () => {
      const status = await statusOf(gateway, name);
      // Zero is left out, as OpenFaaS does.
      const { replicas: wanted = 0, availableReplicas: answering = 0 } = status;
      return wanted === replicas && answering === replicas ? status : undefined;
    },
    { what: `${name} has ${replicas} replicas`, timeoutMs },
  );

const scale = async (gateway: RunningGateway, name: string, replicas: number): Promise<void> => {
  const { code, stdout, stderr } = await gateway.sluice(['scale', name, String(replicas)]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^Scaled: ${name} to ${replicas} replicas?\\.`));
  await hasReplicas(gateway, name, replicas);
};

/** How many replicas of the function have begun to answer so far. */
const startsOf = async (gateway: RunningGateway, name: string): Promise<number> => {
  const { text } = await gateway.control('GET', `/system/logs?name=${name}&tail=1000`);
  return text.split('\n').filter((line) => line.includes('sluice: started')).length;
};

test('sluice scale sets 0, 1 and 3 replicas; all of them answer, and a call at 0 starts one', async (t) => {
  const gateway = await startGateway(t);
  await gateway.deployHandler('fn', whoAmI);
  await scale(gateway, 'fn', 3);
  const seen = new Set<string>();
  await eventually(async () => seen.add((await gateway.call('fn')).text).size === 3, { what: 'three processes answer' });
  await scale(gateway, 'fn', 0);
  const { stdout } = await gateway.sluice(['describe', 'fn']);
  assert.match(stdout, /AtZero/);
  assert.match(stdout, /^Available Replicas: *0$/m);
  assert.equal((await gateway.call('fn')).status, 200);
  await hasReplicas(gateway, 'fn', 1);
  await scale(gateway, 'fn', 1);
});

for (const poolSize of [0, 2]) {
  test(`50 callers at once of a function at 0 wake it once, and all are answered (${poolSize} blank watchdogs)`, async (t) => {
    const gateway = await startGateway(t, { args: ['--pool-size', String(poolSize)] });
    await gateway.deployHandler('fn', slowToLoad);
    await scale(gateway, 'fn', 0);
    const before = await startsOf(gateway, 'fn');
    const calls = Array.from({ length: 50 }, (_, index) => gateway.call('fn', { method: 'POST', body: `body ${index}` }));
    const answers = await Promise.all(calls);
    for (const [index, answer] of answers.entries()) {
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.text, new RegExp(` body ${index}$`));
    }
    assert.equal(new Set(answers.map((answer) => answer.text.split(' ')[0])).size, 1, 'one process answered all');
    assert.equal((await startsOf(gateway, 'fn')) - before, 1);
    assert.equal((await statusOf(gateway, 'fn')).replicas, 1);
  });
}

test('requests that are sent one behind the other on a connection while the function sleeps are answered in order', async (t) => {
  const gateway = await startGateway(t);
  await gateway.deployHandler('fn', slowToLoad);
  await scale(gateway, 'fn', 0);
  const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1');
  onEnd(t, () => socket.destroy());
  let text = '';
  const whole = Promise.withResolvers<void>();
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (text.includes('body 9')) whole.resolve();
  });
  const requests = Array.from(
    { length: 10 },
    (_, index) => `POST /function/fn HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nbody ${index}`,
  );
  socket.write(requests.join(''));
  await within(whole.promise, 'ten answers');
  const bodies = [...text.matchAll(/body \d/g)].map(([body]) => body);
  assert.deepEqual(
    bodies,
    requests.map((_, index) => `body ${index}`),
  );
});

const streaming = `
export const handler = () => {
  let timer;
  const start = (controller) => {
    controller.enqueue(new TextEncoder().encode('first\\n'));
    timer = setInterval(() => controller.enqueue(new TextEncoder().encode('more\\n')), 100);
  };
  return new Response(new ReadableStream({ start, cancel: () => clearInterval(timer) }));
};
`;

/** Speaks just enough of the WebSocket protocol: after the handshake it sends back what comes. */
const echoServer = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end('not a socket'));
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n');
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.listen(process.env.SLUICE_UPSTREAM_SOCKET);
`;

const openStream = async (t: TestContext, gateway: RunningGateway, name: string) => {
  const agent = new Agent();
  onEnd(t, () => agent.destroy());
  const outgoing = request({ host: '127.0.0.1', port: gateway.port, path: `/function/${name}`, agent });
  outgoing.end();
  const [incoming] = await once(outgoing, 'response');
  await once(incoming, 'data');
  return {
    next: async (): Promise<string> => String((await once(incoming, 'data'))[0]),
    close: () => outgoing.destroy(),
  };
};

const openSocket = async (t: TestContext, gateway: RunningGateway, name: string) => {
  const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1');
  onEnd(t, () => socket.destroy());
  const head = `GET /function/${name} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n\r\n`;
  socket.write(head);
  const [answer] = await once(socket, 'data');
  assert.match(answer, /^HTTP\/1\.1 101 /);
  return {
    echo: async (text: string): Promise<string> => {
      const answered = once(socket, 'data');
      socket.write(text);
      return String((await answered)[0]);
    },
    close: () => socket.destroy(),
  };
};

test('an idle function is parked and wakes on a call; one with a minimum, a stream or a WebSocket is not', async (t) => {
  const gateway = await startGateway(t, { args: ['--park-idle', '1s'] });
  await gateway.deployHandler('stream', streaming);
  const stream = await openStream(t, gateway, 'stream');
  await gateway.deploy(
    'socket',
    await makeBundle('socket', { mode: 'http', fprocess: 'node main.mjs' }, { 'main.mjs': echoServer }),
  );
  const socket = await openSocket(t, gateway, 'socket');
  await gateway.deployHandler('kept', whoAmI, { labels: { 'com.openfaas.scale.min': '1' } });
  await gateway.deployHandler('plain', whoAmI);

  await hasReplicas(gateway, 'plain', 0);
  // Twice the idle time after the last deployment, all the others would be gone as well.
  await delay(1000);
  for (const name of ['kept', 'stream', 'socket']) assert.equal((await statusOf(gateway, name)).availableReplicas, 1, name);
  assert.equal(await within(stream.next(), 'the stream goes on'), 'more\n');
  assert.equal(await within(socket.echo('still here'), 'the socket answers'), 'still here');

  assert.equal((await gateway.call('plain', { method: 'POST', body: 'awake' })).text.split(' ')[1], 'awake');
  stream.close();
  socket.close();
  for (const name of ['plain', 'stream', 'socket']) await hasReplicas(gateway, name, 0);
  assert.equal((await statusOf(gateway, 'kept')).availableReplicas, 1);
});

/** A web handler that also takes WebSockets, refused for those without a word. */
const socketHandler = `
import { createHash } from 'node:crypto';
export const handler = async () => new Response('not a socket');
${echoUpgrade.replace('function upgrade', 'function greet')}
export const upgrade = (request, socket, head) => {
  if (request.headers['x-word'] === 'friend') greet(request, socket, head);
  else socket.end('HTTP/1.1 401 Unauthorized\\r\\nX-Own: 1\\r\\nContent-Length: 7\\r\\nConnection: close\\r\\n\\r\\nno word');
};
`;

test('a handler inside the watchdog takes WebSockets or refuses them, is not parked meanwhile, and they outlast a scale down', async (t) => {
  const gateway = await startGateway(t, { args: ['--park-idle', '1s'] });
  await gateway.deployHandler('talk', socketHandler);
  const refused = await connectRaw(gateway.port);
  onEnd(t, () => refused.socket.destroy());
  refused.send(handshake('/function/talk'));
  const refusal = await refused.answer('GET');
  assert.ok(refusal);
  assert.deepEqual([refusal.status, headerOf(refusal, 'x-own'), refusal.body], [401, '1', 'no word']);

  const client = await connectRaw(gateway.port);
  onEnd(t, () => client.socket.destroy());
  client.send(handshake('/function/talk/room?a=1', 'X-Word: friend'));
  const answer = await client.answer('GET');
  assert.ok(answer);
  assert.deepEqual(
    [answer.status, headerOf(answer, 'sec-websocket-accept'), headerOf(answer, 'x-path')],
    [101, accept, '/room?a=1'],
  );
  const echoed = async (): Promise<string> => {
    const before = client.received.length;
    client.send(maskedHello);
    await within(client.until(plainHello, before), 'the function sends it back');
    return client.received.slice(before);
  };
  assert.equal(await echoed(), plainHello);
  // Twice the idle time.
  await delay(2000);
  assert.equal((await statusOf(gateway, 'talk')).availableReplicas, 1);
  assert.equal(await echoed(), plainHello);
  await gateway.sluice(['scale', 'talk', '0']);
  assert.equal(await echoed(), plainHello);
  client.halfClose();
  await within(client.end(), 'the function ends it');
  await hasReplicas(gateway, 'talk', 0);
});

test('a restart of the gateway brings every function back as it was', async (t) => {
  const gateway = await startGateway(t);
  for (const name of ['one', 'three', 'none']) await gateway.deployHandler(name, whoAmI);
  await scale(gateway, 'three', 3);
  await scale(gateway, 'none', 0);
  await gateway.kill('SIGTERM');
  await gateway.restart();
  // Called while they are still coming back.
  const answers = await Promise.all(['one', 'three'].map((name) => gateway.call(name)));
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200, 200],
  );
  await hasReplicas(gateway, 'one', 1);
  await hasReplicas(gateway, 'three', 3);
  await hasReplicas(gateway, 'none', 0);
  assert.equal((await gateway.call('none')).status, 200);
});
