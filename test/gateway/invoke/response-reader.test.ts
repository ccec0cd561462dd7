// The bytes of answers, whole and in pieces of every size: the pieces must not matter.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ResponseListener, ResponseReader } from '../../../gateway/invoke/response-reader.ts';

type Told = {
  informational: [number, string[]][];
  head: [number, string, string[]] | undefined;
  body: string;
  /** Trailers, whether the connection is kept, whether nothing came behind the answer. */
  end: [string[] | undefined, boolean, boolean] | undefined;
  error: string | undefined;
};

const read = (text: string, pieceBytes: number, isHead = false, closes = false): Told => {
  const told: Told = { informational: [], head: undefined, body: '', end: undefined, error: undefined };
  const listener: ResponseListener = {
    informational: (status, headers) => told.informational.push([status, headers]),
    head: (status, reason, headers) => {
      told.head = [status, reason, headers];
    },
    data: (chunk) => {
      told.body += chunk.toString('latin1');
    },
    ended: (trailers, head, isClean) => {
      told.end = [trailers, head.keepAlive, isClean];
    },
  };
  const reader = new ResponseReader();
  reader.begin(listener, isHead);
  // As connections do it: one buffer for all, with something else behind what has just been read.
  const shared = Buffer.alloc(text.length + 100, '\r\n\r\nHTTP/1.1 500 Other\r\n\r\n');
  try {
    for (let at = 0; at < text.length && told.end === undefined; at += pieceBytes) {
      const piece = text.slice(at, at + pieceBytes);
      shared.write(piece, 'latin1');
      reader.read(shared, piece.length);
    }
    if (told.end === undefined && closes && !reader.end()) told.error = 'the connection ended';
  } catch (error) {
    told.error = (error as Error).message;
  }
  return told;
};

const sizesOf = (text: string): number[] => [...Array.from({ length: Math.min(text.length, 40) }, (_, i) => i + 1), text.length];

type Whole = {
  readonly name: string;
  readonly text: string;
  readonly isHead?: true;
  readonly closes?: true;
  readonly told: Partial<Told>;
};

const whole: readonly Whole[] = [
  {
    name: 'with a length',
    text: 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 5\r\na:  2 \t\r\nEmpty:\r\n\r\nhello',
    told: {
      head: [200, 'OK', ['A', '1', 'Content-Length', '5', 'a', '2', 'Empty', '']],
      body: 'hello',
      end: [undefined, true, true],
    },
  },
  {
    name: 'without a reason phrase, and without a body',
    text: 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n',
    told: { head: [200, '', ['content-length', '0']], body: '', end: [undefined, true, true] },
  },
  {
    name: 'in chunks, with extensions and zeros',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n00A;a=b;c="d"\r\n0123456789\r\n000;e\r\n\r\n',
    told: { body: 'hello0123456789', end: [undefined, true, true] },
  },
  {
    name: 'in chunks, with trailers',
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\nX-Sum: 42\r\nB: \xe9\r\n\r\n',
    told: { body: '\n', end: [['X-Sum', '42', 'B', '\xe9'], true, true] },
  },
  {
    name: 'that ends with its connection',
    text: 'HTTP/1.1 200 OK\r\nA: 1\r\n\r\nhello\r\n\r\n',
    closes: true,
    told: { body: 'hello\r\n\r\n', end: [undefined, false, true] },
  },
  {
    name: 'to HEAD, with the length of what GET would give',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    isHead: true,
    told: { body: '', end: [undefined, true, true] },
  },
  {
    name: 'after informational ones; 100 is none',
    text: 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    told: { informational: [[103, ['Link', 'a']]], head: [204, 'No Content', []], end: [undefined, true, true] },
  },
  {
    name: 'of HTTP/1.0, whose connection is not kept',
    text: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx',
    told: { body: 'x', end: [undefined, false, true] },
  },
  {
    name: 'of HTTP/1.0 that keeps its connection',
    text: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx',
    told: { body: 'x', end: [undefined, true, true] },
  },
  {
    name: 'whose connection is the last, said among other things',
    text: 'HTTP/1.1 200 OK\r\nConnection: x-close, Close\r\nContent-Length: 1\r\n\r\nx',
    told: { body: 'x', end: [undefined, false, true] },
  },
];

describe('an answer', () => {
  for (const { name, text, isHead, closes, told } of whole) {
    test(name, () => {
      for (const size of sizesOf(text)) {
        const got = read(text, size, isHead, closes);
        for (const key of Object.keys(told) as (keyof Told)[])
          assert.deepEqual(got[key], told[key], `${key} in pieces of ${size}`);
        assert.equal(got.error, undefined, `in pieces of ${size}`);
      }
    });
  }

  test('with something behind it is told from one with nothing', () => {
    for (const head of [
      'Content-Length: 2\r\n\r\nok',
      'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'Content-Length: 0\r\n\r\n',
    ]) {
      const text = `HTTP/1.1 200 OK\r\n${head}`;
      assert.deepEqual(read(`${text}x`, 1000).end, [undefined, true, false]);
      assert.deepEqual(read(text, 1000).end, [undefined, true, true]);
    }
  });
});

const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const wrong: readonly (readonly [name: string, text: string])[] = [
  ['another protocol', 'SSH-2.0-x\r\n\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n'],
  ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
  ['an informational answer that is the last', 'HTTP/1.1 103 x\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['line feeds only', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['one line feed alone', 'HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n'],
  ['a carriage return in a value', 'HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n'],
  ['NUL in a value', 'HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n'],
  ['a line that continues another', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
  ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
  ['no name', 'HTTP/1.1 200 OK\r\n: a\r\n\r\n'],
  ['no colon', 'HTTP/1.1 200 OK\r\nabc\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx'],
  ['a length and a coding', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a length with a sign', 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx'],
  ['a length of many digits', 'HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\nx'],
  ['two lengths in one', 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx'],
  ['two codings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['the same coding twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a tab behind a coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n'],
  ['a tab behind a length', 'HTTP/1.1 200 OK\r\nContent-Length: 1\t\r\n\r\nx'],
  ['another coding with 304', 'HTTP/1.1 304 x\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['no chunk size', `${chunks}\r\nx`],
  ['a chunk size in 17 digits', `${chunks}00000000000000001\r\nx\r\n`],
  ['a chunk size that is too large', `${chunks}ffffffffffffffff\r\nx\r\n`],
  ['a chunk size with 0x', `${chunks}0x1\r\nx\r\n`],
  ['a chunk size before a blank', `${chunks}1 \r\nx\r\n`],
  ['a chunk size that a line feed ends', `${chunks}1\nx\r\n`],
  ['a line feed in a chunk extension', `${chunks}1;a\nb\r\nx\r\n`],
  ['a chunk extension without end', `${chunks}1;${'a'.repeat(20_000)}`],
  ['a chunk longer than its size', `${chunks}1\r\nxy\r\n`],
  ['a chunk that a line feed ends', `${chunks}1\r\nx\n0\r\n\r\n`],
  ['a last chunk that a line feed ends', `${chunks}0\n\r\n`],
  ['a length in the trailers', `${chunks}0\r\nContent-Length: 3\r\n\r\n`],
  ['trailers that are none', `${chunks}0\r\nabc\r\n\r\n`],
  ['a head over 1 MiB', `HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(1000)}\r\n`.repeat(1050)}\r\n`],
];

describe('what is no answer', () => {
  for (const [name, text] of wrong) {
    test(name, () => {
      for (const size of text.length > 1000 ? [997, text.length] : sizesOf(text)) {
        const { error, end } = read(text, size);
        assert.equal(typeof error, 'string', `in pieces of ${size}`);
        assert.equal(end, undefined);
      }
    });
  }

  test('an answer whose connection ends before it does', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx',
      `${chunks}1\r\nx\r\n`,
      `${chunks}0\r\n`,
    ]) {
      assert.equal(read(text, 1000, false, true).error, 'the connection ended');
    }
  });

  test('a head in single bytes costs no more than its length', () => {
    const reader = new ResponseReader();
    const listener: ResponseListener = { informational() {}, head() {}, data() {}, ended() {} };
    reader.begin(listener, false);
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(900_000)}`);
    // Were it looked at anew with each byte, this would take an hour.
    for (let at = 0; at < bytes.length; at += 1) reader.read(bytes.subarray(at), 1);
    assert.equal(reader.end(), false);
  });
});
