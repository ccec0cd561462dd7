// Bytes of answers that no two readers need to read alike.
import { chunked } from './case.ts';

/** Whole answers that cannot be read, or in two ways. */
export const unreadable: readonly (readonly [what: string, bytes: string])[] = [
  ['the same length twice', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
  ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok'],
  ['a length with a plus', 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok'],
  ['a length with a minus', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
  ['a length in hexadecimal', 'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok'],
  ['an empty length', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok'],
  ['a length beyond 64 bits', 'HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nok'],
  ['a length with a space before its colon', 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok'],
  ['chunked twice', `HTTP/1.1 200 OK\r\n${chunked}\r\n${chunked}\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  ['a coding with a space before its colon', 'HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['a coding on a folded line', 'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['a coding after a vertical tab', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['an empty coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\nok'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok'],
  ['lines that end in a line feed', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['one line that ends in a line feed', 'HTTP/1.1 200 OK\r\nX: a\nContent-Length: 2\r\n\r\nok'],
  ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['HTTP/2 for its version', 'HTTP/2 200\r\ncontent-length: 2\r\n\r\nok'],
  ['HTTP/1.2 for its version', 'HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status of two digits', 'HTTP/1.1 99 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status of nothing', 'HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a carriage return in its reason', 'HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nok'],
  ['NUL in its reason', 'HTTP/1.1 200 O\0K\r\nContent-Length: 2\r\n\r\nok'],
  ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nX\r\nContent-Length: 2\r\n\r\nok'],
  ['a name of another alphabet', 'HTTP/1.1 200 OK\r\nX\xe9: 1\r\nContent-Length: 2\r\n\r\nok'],
  ['an informational answer that closes before it', 'HTTP/1.1 103 A\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['an informational answer that has two lengths before it', 'HTTP/1.1 103 A\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
];

/** What goes wrong in a body that has begun: what stands behind the head of a chunked answer. */
export const misleading: readonly (readonly [what: string, bytes: string])[] = [
  ['a chunk size with a minus', '-2\r\nok\r\n0\r\n\r\n'],
  ['a chunk size with 0x', '0x2\r\nok\r\n0\r\n\r\n'],
  ['a chunk size before a space', '2 \r\nok\r\n0\r\n\r\n'],
  ['a chunk size in 17 digits', '10000000000000002\r\nok\r\n0\r\n\r\n'],
  ['a chunk size that a line feed ends', '2\nok\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '1\r\nok\r\n0\r\n\r\n'],
  ['a chunk that a line feed ends', '2\r\nok\n0\r\n\r\n'],
  ['a carriage return in a chunk extension', '2;a\rb\r\nok\r\n0\r\n\r\n'],
  ['a length in the trailers', '2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n'],
  ['NUL in the trailers', '2\r\nok\r\n0\r\nX: a\0\r\n\r\n'],
  ['an answer in the place of trailers', '2\r\nok\r\n0\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
  ['trailers over 1 MiB', `2\r\nok\r\n0\r\nX: ${'x'.repeat(1024 * 1024)}\r\n\r\n`],
];
