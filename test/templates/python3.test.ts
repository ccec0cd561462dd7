// The Python template's server, as the watchdog runs it: a process that listens on a unix socket or a port.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { builtinDir } from '../cli/build/project.ts';

const skip = spawnSync('python3', ['--version'], { stdio: 'ignore' }).status === 0 ? false : 'python3 is not installed';

const handler = `
import time

seen = []


def parts():
    try:
        yield "one,"
        yield b"two,"
        yield "three"
    finally:
        seen.append("closed")


def breaks():
    yield "begun"
    raise RuntimeError("half-way")


def slow():
    for _ in range(1000):
        yield "x" * 65536
        time.sleep(0.001)


def handle(event, context):
    kind = event.query.get("kind")
    if kind == "event":
        return {"body": {
            "body": event.body.decode("latin-1"), "method": event.method, "path": event.path,
            "header": event.headers.get("x-one"), "query": event.query.getlist("a"), "hostname": bool(context.hostname),
        }}
    return {
        "dict": {"statusCode": 201, "body": {"a": 1}, "headers": {"X-A": "b"}},
        "list": {"body": [1, "ä"]},
        "plain-list": [1, 2],
        "plain-dict": {"a": 1},
        "bytes": {"body": b"\\x00\\xff", "headers": {"Content-type": "image/png"}},
        "pairs": {"body": "x", "headers": [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]},
        "text": "plain",
        "tuple": ("made", 202, {"X-A": "b"}),
        "no-body": {"statusCode": 404},
        "none": None,
        "number": {"body": 1.5},
        "no-content": {"statusCode": 204, "body": "never sent"},
        "framing": {"body": "x", "headers": {"Content-Length": "99", "Transfer-Encoding": "chunked"}},
        "split": {"body": "x", "headers": {"X-A": "b\\r\\nX-B: c"}},
        "status": {"statusCode": 42},
        "object": {"body": object()},
        "seen": {"body": seen},
        "parts": {"body": parts(), "headers": {"Content-Type": "text/plain"}},
        "breaks": {"body": breaks()},
        "slow": {"body": slow()},
    }[kind]
`;

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

describe('the Python server', { skip }, () => {
  let dir = '';
  let socketPath = '';
  let child: ChildProcess;
  let stderr = '';

  const start = async (env: Record<string, string>, target: () => { path: string } | { port: number }): Promise<ChildProcess> => {
    const started = spawn('python3', ['index.py'], {
      cwd: dir,
      env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    started.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    for (;;) {
      assert.equal(started.exitCode, null, stderr);
      const socket = connect(target());
      const isUp = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(
        () => false,
      );
      socket.destroy();
      if (isUp) return started;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  const stop = async (running: ChildProcess | undefined): Promise<void> => {
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    running.kill();
    await once(running, 'exit');
  };

  const call = (
    path: string,
    options: { method?: string; headers?: OutgoingHttpHeaders; body?: string | string[] } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        { socketPath, path, method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          );
        },
      );
      sent.on('error', reject);
      for (const part of Array.isArray(options.body) ? options.body : []) sent.write(part);
      sent.end(typeof options.body === 'string' ? options.body : undefined);
    });

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-py-'));
    await cp(join(builtinDir, 'python3'), dir, { recursive: true });
    await writeFile(join(dir, 'function/handler.py'), handler);
    socketPath = join(dir, 's');
    child = await start({ SLUICE_UPSTREAM_SOCKET: socketPath }, () => ({ path: socketPath }));
  });

  after(async () => {
    await stop(child);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  for (const [kind, status, type, body] of [
    ['dict', 201, 'application/json', '{"a": 1}'],
    ['list', 200, 'application/json', '[1, "\\u00e4"]'],
    ['plain-list', 200, 'application/json', '[1, 2]'],
    ['plain-dict', 200, 'application/json', '{"a": 1}'],
    ['bytes', 200, 'image/png', '\x00\xff'],
    ['text', 200, 'text/html; charset=utf-8', 'plain'],
    ['tuple', 202, 'text/html; charset=utf-8', 'made'],
    ['no-body', 404, undefined, ''],
    ['none', 200, undefined, ''],
    ['number', 200, 'application/json', '1.5'],
    ['no-content', 204, 'text/html; charset=utf-8', ''],
    ['parts', 200, 'text/plain', 'one,two,three'],
  ] as const) {
    test(`${kind} is answered with ${status} and ${type}`, async () => {
      const answer = await call(`/?kind=${kind}`);
      assert.equal(answer.status, status);
      assert.equal(answer.headers['content-type'], type);
      assert.equal(answer.body.toString('latin1'), body);
    });
  }

  test('the handler sees body, method, decoded path, headers without case, and every query value', async () => {
    const path = '//a%20b?kind=event&a=1&a=%C3%A4&b';
    const answer = await call(path, { method: 'BREW', headers: { 'X-ONE': '1' }, body: ['chun', 'ked ', '\x00'] });
    assert.deepEqual(JSON.parse(answer.body.toString()), {
      body: 'chunked \x00',
      method: 'BREW',
      path: '//a b',
      header: '1',
      query: ['1', 'ä'],
      hostname: true,
    });
  });

  test('headers that come as pairs may repeat', async () => {
    assert.deepEqual((await call('/?kind=pairs')).headers['set-cookie'], ['a=1', 'b=2']);
  });

  test('the server frames the answer, whatever headers the handler sets', async () => {
    const { headers, body } = await call('/?kind=framing');
    assert.equal(headers['content-length'], '1');
    assert.equal(headers['transfer-encoding'], undefined);
    assert.equal(body.toString(), 'x');
  });

  test('HEAD has the length and no body', async () => {
    const { headers, body } = await call('/?kind=text', { method: 'HEAD' });
    assert.equal(headers['content-length'], '5');
    assert.equal(body.length, 0);
  });

  for (const kind of ['split', 'status', 'object', 'unknown']) {
    test(`${kind} is a 500, with the reason on standard error`, async () => {
      stderr = '';
      const { status, body } = await call(`/?kind=${kind}`);
      assert.equal(status, 500);
      assert.equal(body.toString(), 'the handler failed; its log has the reason\n');
      while (!/\n\w+Error: .*\n/.test(stderr)) await new Promise((resolve) => setImmediate(resolve));
    });
  }

  test('an iterator that fails half-way cuts the connection', async () => {
    await assert.rejects(call('/?kind=breaks'), { code: 'ECONNRESET' });
  });

  test('a caller that leaves ends the iterator and nothing else', async () => {
    const sent = request({ socketPath, path: '/?kind=slow', agent: false });
    sent.on('error', () => undefined).end();
    await once(sent, 'response');
    sent.destroy();
    assert.equal((await call('/?kind=text')).status, 200);
  });

  test('several calls use one connection, and a malformed length ends it with 400', async () => {
    const socket = connect(socketPath).setEncoding('latin1');
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    const closed = once(socket, 'close');
    socket.write(
      'POST /?kind=text HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\n',
    );
    socket.write('GET /?kind=text HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.write('POST /?kind=text HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n');
    await closed;
    assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  test('calls run beside each other', async () => {
    const slow = request({ socketPath, path: '/?kind=slow', agent: false });
    slow.on('error', () => undefined).end();
    const [response] = await once(slow, 'response');
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('/?kind=text')));
    assert.ok(answers.every((answer) => answer.status === 200));
    assert.equal(response.complete, false);
    slow.destroy();
  });

  for (const name of ['PORT', 'http_port']) {
    test(`without a socket it listens on 127.0.0.1 at ${name}`, async () => {
      const probe = createServer().listen(0, '127.0.0.1');
      await once(probe, 'listening');
      const { port } = probe.address() as { port: number };
      probe.close();
      await once(probe, 'close');
      const other = await start({ [name]: String(port) }, () => ({ port }));
      const response = await fetch(`http://127.0.0.1:${port}/?kind=text`);
      assert.equal(await response.text(), 'plain');
      await stop(other);
    });
  }

  test('a handler that cannot be loaded ends the process with the reason', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'sluice-py-'));
    await cp(join(builtinDir, 'python3'), broken, { recursive: true });
    await writeFile(join(broken, 'function/handler.py'), 'import nowhere\n');
    const result = spawnSync('python3', ['index.py'], { cwd: broken, env: { PATH: process.env.PATH }, encoding: 'utf8' });
    await rm(broken, { recursive: true, force: true, maxRetries: 5 });
    assert.equal(result.status, 1);
    assert.match(result.stderr, /No module named 'nowhere'/);
  });
});
