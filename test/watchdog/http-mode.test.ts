import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import test, { type TestContext } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { open, startBlank, textOf } from './blank-process.ts';

const node = process.execPath;

/** A function with a server of its own: `on(request, response)` is the source of a function, after which it listens. */
const serverSource = (on: string, where = 'process.env.SLUICE_UPSTREAM_SOCKET'): string =>
  `const server = require("node:http").createServer({ keepAliveTimeout: 60000 }, ${on}); server.listen(${where})`;

const echo = `(q, s) => { const c = []; q.on("data", (d) => c.push(d)); q.on("end", () => {
  s.setHeader("Set-Cookie", ["a=1", "b=2"]); s.setHeader("Connection", "keep-alive, x-hop"); s.setHeader("X-Hop", "1");
  s.end(JSON.stringify({ method: q.method, url: q.url, raw: q.rawHeaders, body: Buffer.concat(c).toString() })) }) }`;

const start = async (t: TestContext, source: string, environment: Record<string, string> = {}) => {
  const blank = await startBlank(t, { 'server.js': source });
  const answer = await blank.specialize({
    mode: 'http',
    handler: undefined,
    environment: { fprocess: `${node} server.js`, TMPDIR: blank.dir, ...environment },
  });
  return { ...blank, answer };
};

const started = async (t: TestContext, on: string, environment?: Record<string, string>) => {
  const blank = await start(t, serverSource(on), environment);
  assert.equal(blank.answer.status, 200, blank.answer.body);
  return blank;
};

const valuesOf = (raw: readonly string[], name: string): string[] =>
  raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);

test('path, query, method, Host and headers reach the function as they came (facts 23, 24)', async (t) => {
  const blank = await started(t, echo);
  const answer = await blank.call('/a//b/../%20?q=1', {
    method: 'PATCH',
    headers: { host: 'example.test', 'x-multi': ['1', '2'], connection: 'x-private', 'x-private': 'no', te: 'trailers' },
    body: 'body',
  });
  const seen = JSON.parse(answer.body);
  assert.deepEqual([seen.method, seen.url, seen.body], ['PATCH', '/a//b/../%20?q=1', 'body']);
  assert.deepEqual(valuesOf(seen.raw, 'host'), ['example.test']);
  assert.deepEqual(valuesOf(seen.raw, 'x-multi'), ['1', '2']);
  assert.deepEqual(valuesOf(seen.raw, 'x-private'), []);
  assert.deepEqual(valuesOf(seen.raw, 'te'), []);
});

test('the answer keeps duplicates, loses what belongs to the connection, and says how long it took (facts 25, 26)', async (t) => {
  const blank = await started(t, echo);
  const answer = await blank.call('/');
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(answer.headers['x-hop'], undefined);
  assert.match(String(answer.headers['x-duration-seconds']), /^\d+\.\d{6}$/);
});

test('a body keeps its length, and a chunked one stays chunked whatever the method (facts 27, 28)', async (t) => {
  const blank = await started(t, echo);
  const seen = JSON.parse((await blank.call('/', { body: 'four' })).body);
  assert.deepEqual([valuesOf(seen.raw, 'content-length'), valuesOf(seen.raw, 'transfer-encoding')], [['4'], []]);
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'GET']) {
    const answer = await blank.call('/', {
      method,
      headers: { 'transfer-encoding': 'chunked' },
      body: 'GET /smuggled HTTP/1.1\r\n\r\n',
    });
    const chunked = JSON.parse(answer.body);
    assert.deepEqual(
      [chunked.body, valuesOf(chunked.raw, 'transfer-encoding')],
      ['GET /smuggled HTTP/1.1\r\n\r\n', ['chunked']],
      method,
    );
  }
  const buffered = await started(t, echo, { buffer_http: 'true' });
  const whole = JSON.parse(
    (await buffered.call('/', { method: 'POST', headers: { 'transfer-encoding': 'chunked' }, body: 'four' })).body,
  );
  assert.deepEqual([whole.body, valuesOf(whole.raw, 'content-length')], ['four', ['4']]);
});

test('status and redirects pass through (fact 30)', async (t) => {
  const blank = await started(t, '(q, s) => { s.writeHead(302, "Elsewhere", { location: "/x" }); s.end() }');
  const answer = await blank.call('/');
  assert.deepEqual([answer.status, answer.headers.location], [302, '/x']);
});

test('a connection that the function resets is 500 with a reason (fact 31)', async (t) => {
  const blank = await started(t, '(q, s) => q.socket.destroy()');
  const answer = await blank.call('/');
  assert.equal(answer.status, 500);
  assert.equal(answer.headers['x-openfaas-internal'], 'watchdog');
  assert.match(answer.body, /did not answer/);
});

test('exec_timeout before the head is 504, in the middle of the body it cuts (facts 32, 37, 38)', async (t) => {
  const blank = await started(
    t,
    '(q, s) => { q.on("close", () => console.log("closed")); if (q.url === "/half") s.write("half") }',
    { exec_timeout: '60ms' },
  );
  const answer = await blank.call('/');
  assert.deepEqual([answer.status, answer.headers['x-openfaas-internal']], [504, 'watchdog']);
  await assert.rejects(blank.call('/half'), /aborted/);
  assert.equal((await blank.call('/', { headers: { accept: 'text/event-stream' } })).status, 504);
});

test('events arrive one by one and outlive exec_timeout', async (t) => {
  const blank = await started(
    t,
    `(q, s) => {
      if (q.url === "/next") { globalThis.stream.write("data: " + globalThis.count++ + "\\n\\n"); return s.end() }
      globalThis.stream = s; globalThis.count = 0; s.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      setTimeout(() => s.end("data: last\\n\\n"), 1500)
    }`,
    { exec_timeout: '1s' },
  );
  const message = await open(blank.target, '/', { headers: { accept: 'text/event-stream' } });
  for (const event of ['data: 0\n\n', 'data: 1\n\n', 'data: 2\n\n']) {
    const arrived = once(message, 'data');
    await blank.call('/next');
    assert.equal(String((await arrived)[0]), event);
  }
  const ended = once(message, 'end');
  const [last] = await once(message, 'data');
  assert.equal(String(last), 'data: last\n\n');
  await ended;
});

test('an upstream that dies in the middle of its answer cuts the connection', async (t) => {
  const blank = await started(
    t,
    '(q, s) => { s.writeHead(200, { "content-length": 100 }); s.write("part"); setTimeout(() => q.socket.destroy(), 10) }',
  );
  await assert.rejects(blank.call('/'), /aborted/);
});

test('a client that leaves ends the call of the function', async (t) => {
  const blank = await started(t, '(q, s) => { s.on("close", () => console.log("left")); console.log("came") }');
  const socket = connect(blank.socketPath);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(blank.child.stdout as NodeJS.ReadableStream, 'data');
  socket.destroy();
  await blank.printed('stdout', /left/);
});

test('an upgraded connection carries bytes both ways, whatever the case of its name (fact 41)', async (t) => {
  const blank = await start(
    t,
    `${serverSource('(q, s) => s.end()')}; server.on("upgrade", (q, s, h) => { s.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: " + q.headers.upgrade + "\\r\\nX-Path: " + q.url + "\\r\\n\\r\\nhello"); s.on("data", (d) => s.write("echo " + d)) })`,
  );
  assert.equal(blank.answer.status, 200);
  const socket = connect(blank.socketPath);
  socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  while (!text.includes('hello')) await once(socket, 'data');
  assert.match(text, /^HTTP\/1\.1 101 [\s\S]*X-Path: \/ws\r\n[\s\S]*Upgrade: WebSocket\r\n/);
  socket.write('ping');
  while (!text.includes('echo ping')) await once(socket, 'data');
  socket.destroy();
});

test('a refused upgrade is answered as the function answered it', async (t) => {
  const blank = await started(t, '(q, s) => { s.writeHead(403); s.end("no") }');
  const socket = connect(blank.socketPath);
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => (text += chunk));
  await once(socket, 'close');
  assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*no/);
});

test('in a blank start a fixed loopback port becomes a free one, told in PORT and http_port (fact 93); the path stays (fact 42)', async (t) => {
  const blank = await start(
    t,
    serverSource('(q, s) => s.end(q.url + process.env.http_port)', 'Number(process.env.PORT), "127.0.0.1"'),
    {
      upstream_url: 'http://127.0.0.1:3000/base/',
    },
  );
  assert.equal(blank.answer.status, 200, blank.answer.body);
  const { body } = await blank.call('/x?y', { headers: { accept: 'text/event-stream' } });
  assert.match(body, /^\/base\/x\?y\d+$/);
  assert.ok(!body.endsWith('y3000'));
});

test('http_upstream_url wins over upstream_url (fact 10)', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onEnd(t, () => other.close());
  const blank = await start(t, serverSource('(q, s) => s.end("won")', 'Number(process.env.PORT), "127.0.0.1"'), {
    http_upstream_url: 'http://127.0.0.1:0',
    upstream_url: 'http://127.0.0.1:1',
  });
  assert.equal((await blank.call('/')).body, 'won');
});

const failures: readonly {
  name: string;
  source: string;
  environment: Record<string, string>;
  reason: string;
  message: RegExp;
}[] = [
  {
    name: 'a command that is not there',
    source: '',
    environment: { fprocess: 'no-such-command' },
    reason: 'LoadFailed',
    message: /no-such-command.*ENOENT/,
  },
  {
    name: 'a process that exits at once',
    source: 'process.exit(3)',
    environment: {},
    reason: 'Exited',
    message: /exited with code 3/,
  },
  { name: 'a process that exits with 0', source: '', environment: {}, reason: 'Exited', message: /exited with code 0/ },
  {
    name: 'a process that never listens',
    source: 'setInterval(() => {}, 1000)',
    environment: { ready_timeout: '100ms' },
    reason: 'NeverReady',
    message: /did not listen .* told in SLUICE_UPSTREAM_SOCKET, within ready_timeout of 0.1s/,
  },
  { name: 'no fprocess (fact 1)', source: '', environment: { fprocess: '' }, reason: 'Invalid', message: /fprocess: expected/ },
];

for (const { name, source, environment, reason, message } of failures) {
  test(`${name} is ${reason} and ends the watchdog`, async (t) => {
    const blank = await start(t, source, environment);
    assert.equal(blank.answer.status, 500);
    const failure = JSON.parse(blank.answer.body);
    assert.equal(failure.reason, reason);
    assert.match(failure.message, message);
    assert.equal((await blank.exited).code, 1);
  });
}

for (const how of ['process.exit(3)', 'process.exit(0)', 'process.kill(process.pid, "SIGKILL")']) {
  test(`a server that ends by ${how} ends the watchdog at once and running calls are 500 (facts 49, 50, 51)`, async (t) => {
    const blank = await started(t, `(q, s) => { if (q.url === "/end") { ${how} } }`);
    const answers = await Promise.all([blank.call('/wait'), blank.call('/end')]);
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['x-openfaas-internal']]),
      [
        [500, 'watchdog'],
        [500, 'watchdog'],
      ],
    );
    assert.equal((await blank.exited).code, 1);
    assert.match(blank.output().stderr, /exited with (code|signal)/);
  });
}

test('SIGTERM lets running calls finish before the server is told (facts 52, 53)', async (t) => {
  const blank = await started(t, '(q, s) => { console.log("in"); setTimeout(() => s.end("done"), 60) }');
  const running = blank.call('/');
  await once(blank.child.stdout as NodeJS.ReadableStream, 'data');
  blank.child.kill('SIGTERM');
  assert.equal((await running).body, 'done');
  assert.deepEqual(await blank.exited, { code: 0, signal: null });
});

test('a large body passes both ways without being kept', async (t) => {
  const blank = await started(t, '(q, s) => q.pipe(s)');
  const body = Buffer.alloc(8 * 1024 * 1024, 'x');
  const message = await open(blank.target, '/', { body });
  assert.equal((await textOf(message)).length, body.length);
});

test('the answer of a server that closes the connection with it is not lost, however fast it is', async (t) => {
  if (spawnSync('python3', ['--version']).status !== 0) {
    assert.equal(process.env.CI, undefined, 'python3 is not installed');
    return t.skip('python3 is not installed, and a server in Node.js is not fast enough');
  }
  const source = `import os, socket
server = socket.socket(socket.AF_UNIX)
server.bind(os.environ["SLUICE_UPSTREAM_SOCKET"])
server.listen()
while True:
    connection, _ = server.accept()
    text = b""
    while not text.endswith(b"body") and (chunk := connection.recv(4096)):
        text += chunk
    if text:
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    connection.close()
`;
  const blank = await startBlank(t, { 'server.py': source });
  const environment = { fprocess: 'python3 server.py', TMPDIR: blank.dir, PATH: process.env.PATH ?? '' };
  const begun = await blank.specialize({ mode: 'http', handler: undefined, environment });
  assert.equal(begun.status, 200, begun.body);
  const failed: string[] = [];
  for (let at = 0; at < 100; at += 1) {
    const answer = await blank.call('/', { method: 'POST', body: 'body' });
    if (answer.status !== 200) failed.push(answer.body);
  }
  assert.deepEqual(failed, []);
});
