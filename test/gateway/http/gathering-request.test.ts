import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { GatheringRequest } from '../../../gateway/http/gathering-request.ts';
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

test('a body that has come in one piece is had in one piece, and the request is at its end', () => {
  const req = expecting(3);
  feed(req, 'abc', null);
  assert.equal(String(req.gathered()), 'abc');
  assert.equal(String(req.gathered()), 'abc');
  assert.equal(req.readableEnded, true);
  assert.equal(req.aborted, false);
});

const partly: [string, (string | null)[], (string | null)[]][] = [
  ['nothing has come yet', [], ['abc', null]],
  ['a part has come', ['a'], ['bc', null]],
  ['it has come in two pieces', ['a', 'bc', null], []],
  ['its end has not come', ['abc'], [null]],
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
