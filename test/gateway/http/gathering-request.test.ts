import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { GatheringRequest } from '../../../gateway/http/gathering-request.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { within } from '../../helpers/eventually.ts';

const expecting = (length: number): GatheringRequest => {
  const req = new GatheringRequest(new Socket());
  req.gather(length);
  return req;
};

/** As node:http gives a request its body. */
const feed = (req: GatheringRequest, ...pieces: (string | null)[]): void => {
  for (const piece of pieces) {
    if (piece === null) req.complete = true;
    req.push(piece === null ? null : Buffer.from(piece));
  }
};

for (const [name, end] of [
  ['and its end', [null]],
  ['and not its end yet', []],
] as const) {
  test(`a body that has come in one piece ${name} is had in one piece, and the request is at its end`, () => {
    const req = expecting(3);
    feed(req, 'abc', ...end);
    assert.equal(String(req.gathered()), 'abc');
    assert.equal(req.readableEnded, true);
    if (end.length === 0) feed(req, null);
    assert.equal(req.aborted, false);
    assert.equal(req.read(), null);
  });
}

const partly: [string, (string | null)[], (string | null)[]][] = [
  ['nothing has come yet', [], ['abc', null]],
  ['a part has come', ['a'], ['bc', null]],
  ['it has come in two pieces', ['a', 'bc', null], []],
];

for (const [name, before, after] of partly) {
  test(`a body is a stream when ${name}`, async () => {
    const req = expecting(3);
    feed(req, ...before);
    assert.equal(req.gathered(), undefined);
    assert.equal(req.readableEnded, false);
    feed(req, ...after);
    assert.equal(await within(text(req), 'the body'), 'abc');
  });
}

test('a body that nobody wants in one piece is a stream', async () => {
  const req = new GatheringRequest(new Socket());
  feed(req, 'ab', 'c', null);
  assert.equal(await within(text(req), 'the body'), 'abc');
});

test('a body that came before it was wanted in one piece is a stream', async () => {
  const req = new GatheringRequest(new Socket());
  feed(req, 'a');
  req.gather(3);
  feed(req, 'bc', null);
  assert.equal(req.gathered(), undefined);
  assert.equal(await within(text(req), 'the body'), 'abc');
});

test('node:http lets nothing run between a head and the body that came with it', async (t) => {
  const seen = Promise.withResolvers<string | undefined>();
  const server = createServer({ IncomingMessage: GatheringRequest }, (req, res) => {
    req.gather(3);
    process.nextTick(() => {
      seen.resolve(req.gathered()?.toString());
      res.end();
    });
  });
  onEnd(t, () => new Promise((resolve) => server.close(resolve)));
  server.listen(0, '127.0.0.1');
  await within(once(server, 'listening'), 'the server listens');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onEnd(t, () => client.destroy());
  client.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc');
  assert.equal(await within(seen.promise, 'the body'), 'abc');
});
