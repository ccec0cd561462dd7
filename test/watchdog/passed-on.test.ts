// What goes with an answer or a request besides its body: informational answers, trailers, values that are not ASCII.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { onEnd } from '../helpers/cleanup.ts';
import { within } from '../helpers/eventually.ts';
import { type Blank, startBlank, startHandler } from './blank-process.ts';

const startServer = async (t: TestContext, on: string): Promise<Blank> => {
  const source = `const server = require("node:http").createServer({ maxHeaderSize: 2 ** 21 }, ${on});
    server.maxHeadersCount = 0; server.listen(process.env.SLUICE_UPSTREAM_SOCKET)`;
  const blank = await startBlank(t, { 'server.js': source });
  const environment = { fprocess: `${process.execPath} server.js`, TMPDIR: blank.dir };
  const answer = await blank.specialize({ mode: 'http', handler: undefined, environment });
  assert.equal(answer.status, 200, answer.body);
  return blank;
};

/** Everything that comes in answer to these bytes, one character a byte; the last of the requests is to end the connection. */
const exchange = async ({ socketPath }: Blank, bytes: string): Promise<string> => {
  const socket = connect(socketPath).setEncoding('latin1');
  const read = async (): Promise<string> => {
    let text = '';
    for await (const piece of socket) text += piece;
    return text;
  };
  socket.write(bytes, 'latin1');
  try {
    return await within(read(), 'the end of the connection');
  } finally {
    socket.destroy();
  }
};

const get = (path: string, version = '1.1'): string => `GET ${path} HTTP/${version}\r\nHost: h\r\nConnection: close\r\n\r\n`;

test('informational answers of a server are passed on before its answer, but not to HTTP/1.0', async (t) => {
  const blank = await startServer(
    t,
    `(q, s) => { s.writeContinue(); s.writeInformation(103, ["Link", "</a>; rel=preload", "link", "</b>"]); s.end("answer") }`,
  );
  const text = await exchange(blank, get('/'));
  assert.match(text, /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a>; rel=preload\r\nlink: <\/b>\r\n\r\nHTTP\/1\.1 200 .*answer$/s);
  assert.match(await exchange(blank, get('/', '1.0')), /^HTTP\/1\.1 200 .*answer$/s);
});

test('trailers pass from a client to a server and back', async (t) => {
  const blank = await startServer(
    t,
    `(q, s) => q.resume().on("end", () => { s.writeHead(200, { Trailer: "X-Sum" });
      s.write(JSON.stringify([q.headers.trailer, q.rawTrailers])); s.addTrailers([["X-Sum", "4"], ["x-sum", "5"]]); s.end() })`,
  );
  const head = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTrailer: X-In\r\nTransfer-Encoding: chunked\r\n\r\n';
  const text = await exchange(blank, `${head}2\r\nab\r\n0\r\nX-In: 1\r\nx-in: 2\r\n\r\n`);
  assert.match(text, /\r\nTrailer: X-Sum\r\n/);
  assert.match(text, /\["X-In",\["X-In","1","x-in","2"\]\]\r\n0\r\nX-Sum: 4\r\nx-sum: 5\r\n\r\n$/);
});

test('an answer that cannot have trailers is passed on without', async (t) => {
  const blank = await startServer(
    t,
    `(q, s) => { s.writeHead(200, { Trailer: "X-Sum", "Transfer-Encoding": "chunked" }); s.write("whole"); s.addTrailers({ "X-Sum": "4" }); s.end() }`,
  );
  const old = await exchange(blank, get('/', '1.0'));
  assert.match(old, /^HTTP\/1\.1 200 (?!.*Trailer).*\r\n\r\nwhole$/s);
  const head = await exchange(blank, get('/').replace('GET', 'HEAD'));
  assert.match(head, /^HTTP\/1\.1 200 (?!.*Trailer).*\r\n\r\n$/s);
});

test('heads of nearly 1 MiB and of thousands of headers pass both ways', async (t) => {
  const blank = await startServer(
    t,
    `(q, s) => { s.setHeader("X-Long", "y".repeat(1_000_000)); s.setHeader("Set-Cookie", Array.from({ length: 2500 }, (_, i) => "c" + i));
      s.end(q.headers["x-long"].length + " " + q.rawHeaders.filter((name) => name === "X-Many").length) }`,
  );
  const text = await exchange(
    blank,
    `GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n${'X-Many: 1\r\n'.repeat(2500)}\r\n`,
  );
  assert.match(text, /^HTTP\/1\.1 200 .*1000000 2500/s);
  assert.equal(text.match(/\r\nSet-Cookie: c\d+/g)?.length, 2500);
  assert.ok(text.includes(`X-Long: ${'y'.repeat(1_000_000)}\r\n`));
});

test('a request without a body has none for the server, whatever its method', async (t) => {
  const blank = await startServer(t, '(q, s) => s.end(JSON.stringify(q.rawHeaders))');
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY', 'PURGE']) {
    const text = await exchange(blank, get('/').replace('GET', method));
    assert.match(text, /^HTTP\/1\.1 200 /, method);
    assert.doesNotMatch(text.slice(text.indexOf('\r\n\r\n')), /transfer-encoding/i, method);
  }
});

test('an answer that comes before the request has been read, with the end of the connection, is not lost', async (t) => {
  const source = `require("node:net").createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => { socket.pause(); socket.end("HTTP/1.1 413 Too Large\\r\\nContent-Length: 5\\r\\n\\r\\nlarge", () => socket.destroy()) });
  }).listen(process.env.SLUICE_UPSTREAM_SOCKET)`;
  const blank = await startBlank(t, { 'server.js': source });
  const environment = { fprocess: `${process.execPath} server.js`, TMPDIR: blank.dir };
  assert.equal((await blank.specialize({ mode: 'http', handler: undefined, environment })).status, 200);
  const bytes = 8 * 1024 * 1024;
  for (let at = 0; at < 20; at += 1) {
    const socket = connect(blank.socketPath).setEncoding('latin1');
    onEnd(t, () => socket.destroy());
    const read = async (): Promise<string> => {
      let text = '';
      for await (const piece of socket) {
        text += piece;
        if (/\r\n\r\n(?:large|.*\n)$/s.test(text)) break;
      }
      return text;
    };
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}\r\n\r\n`);
    socket.write(Buffer.alloc(bytes));
    assert.match(await within(read(), `answer ${at}`), /^HTTP\/1\.1 413 .*large$/s, `answer ${at}`);
  }
});

const header = '{ headers: { "X-Name": "caf\\xe9" } }';

for (const [name, start] of [
  [
    'a server, a chunked answer',
    (t) => startServer(t, '(q, s) => { s.writeHead(200, { "X-Name": "caf\\xe9" }); s.end("body") }'),
  ],
  ['a Response of text', (t) => startHandler(t, `exports.fetch = () => new Response("body", ${header})`)],
  [
    'a Response that streams',
    (t) => startHandler(t, `exports.fetch = () => new Response(new Blob(["body"]).stream(), ${header})`),
  ],
  ['context, text', (t) => startHandler(t, 'module.exports = (e, c) => c.headers({ "X-Name": "caf\\xe9" }).succeed("body")')],
  [
    'context, a stream',
    (t) =>
      startHandler(
        t,
        'module.exports = (e, c) => c.headers({ "X-Name": "caf\\xe9" }).succeed((async function* () { yield "body" })())',
      ),
  ],
] as const satisfies readonly (readonly [string, (t: TestContext) => Promise<Blank>])[]) {
  test(`a Latin-1 value of a header is sent as it is: ${name}`, async (t) => {
    const text = await exchange(await start(t), get('/'));
    assert.match(text, /\r\nX-Name: caf\xe9\r\n.*body/s);
  });
}
