// Answers with a few bytes changed by chance, read by our reader and by that of node:http: what it refuses is refused here, and
// what both take is the same. docs/edges.md says how to repeat a run.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ResponseReader } from '../../../gateway/invoke/response-reader.ts';
import { within } from '../../helpers/eventually.ts';
import { createRandom, type Random, takeSeed } from '../../helpers/random.ts';

const cases = 4000;

const originals = [
  'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 5\r\na:  2 \t\r\nEmpty:\r\n\r\nhello',
  'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n00A;a=b;c="d"\r\n0123456789\r\n000;e\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\nX-Sum: 42\r\nB: \xe9\r\n\r\n',
  'HTTP/1.1 200 OK\r\nA: 1\r\n\r\nhello\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nConnection: close\r\n\r\n',
];

const pieces = [
  ...[
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '\0',
    '\x01',
    '\x7f',
    '\x80',
    '\xff',
    ':',
    ';',
    ',',
    '"',
    '-',
    '+',
    '0',
    '5',
    'a',
    'F',
    'G',
    '0x',
  ],
  ...[
    'chunked',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip\r\n',
    'Connection: close\r\n',
  ],
  ...['HTTP/1.1 200 OK\r\n', '\r\n\r\n', '0\r\n\r\n'],
];

const changed = (text: string, random: Random): string => {
  const at = random.below(text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  const how = random.below(3);
  if (how === 0) return before + random.pick(pieces) + after;
  return how === 1 ? before + after.slice(1 + random.below(3)) : before + random.pick(pieces) + after.slice(1);
};

type Answer = { status: number; reason: string; headers: string[]; body: string; trailers: string[] };

/** What came, or why nothing did. */
type Result = Answer | string;

const empty = (): Answer => ({ status: 0, reason: '', headers: [], body: '', trailers: [] });

const ours = (text: string): Result => {
  const answer = empty();
  let result: Result = 'incomplete';
  const reader = new ResponseReader();
  reader.begin(
    {
      informational() {},
      head: (status, reason, headers) => Object.assign(answer, { status, reason, headers }),
      data: (chunk) => {
        answer.body += chunk.toString('latin1');
      },
      ended: (trailers, _head, isClean) => {
        answer.trailers = trailers ?? [];
        result = isClean ? answer : 'bytes behind it';
      },
    },
    false,
  );
  try {
    const bytes = Buffer.from(text, 'latin1');
    reader.read(bytes, bytes.length);
    if (result === 'incomplete') reader.end();
  } catch (error) {
    return (error as Error).message;
  }
  return result;
};

/** A connection on which these bytes come, and the end. */
const connectionOf = (text: string): Duplex => {
  const socket = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      socket.push(Buffer.from(text, 'latin1'));
      socket.push(null);
      done();
    },
  });
  return socket;
};

const theirs = (text: string): Promise<Result> =>
  new Promise((resolve) => {
    const answer = empty();
    const req = request({ createConnection: () => connectionOf(text), headers: { Host: 'h' } });
    const refuse = (error: Error): void => resolve(error.message);
    req.on('error', refuse);
    req.on('upgrade', () => resolve('upgraded'));
    req.on('response', (res) => {
      Object.assign(answer, { status: res.statusCode, reason: res.statusMessage, headers: res.rawHeaders });
      res.setEncoding('latin1').on('data', (part: string) => {
        answer.body += part;
      });
      res.on('error', refuse);
      res.on('close', () => setImmediate(resolve, 'closed'));
      res.on('end', () => {
        answer.trailers = res.rawTrailers;
        // Not yet: what stands behind the answer in the same packet is read after this.
        setImmediate(resolve, answer);
      });
    });
    req.end();
  });

test('what node:http refuses of four thousand answers with wrong bytes is refused, and the others are read alike', async (t) => {
  const random = createRandom(takeSeed(t));
  let taken = 0;
  for (let i = 0; i < cases; i += 1) {
    let text = random.pick(originals);
    for (let changes = 1 + random.below(2); changes > 0; changes -= 1) text = changed(text, random);
    const got = ours(text);
    if (typeof got === 'string') continue;
    const wanted = await within(theirs(text), JSON.stringify(text));
    // Extensions of chunks are dropped; nobody reads what they are made of.
    if (typeof wanted === 'string' && /chunk extension/.test(wanted)) continue;
    assert.deepEqual(got, wanted, JSON.stringify(text));
    taken += 1;
  }
  t.diagnostic(`${cases} answers, ${taken} of them taken by both`);
  assert.ok(taken > cases / 10, `only ${taken} of ${cases} were answers`);
});
