// Valid requests on one connection, and what a few wrong bytes make of them.
import type { Random } from '../../helpers/random.ts';
import { chunk, chunked, inner } from './case.ts';

/** A request with a body that holds another one. @param path of the function and below */
type Make = (path: string) => string;

const withHead = (line: string, headers: readonly string[], body = ''): string =>
  `${line} HTTP/1.1\r\nHost: h\r\n${headers.map((each) => `${each}\r\n`).join('')}\r\n${body}`;

const originals: readonly Make[] = [
  (path) => withHead(`GET ${path}`, ['X: y']),
  (path) => withHead(`HEAD ${path}`, []),
  (path) => withHead(`POST ${path}`, [`Content-Length: ${inner.length}`], inner),
  (path) => withHead(`PUT ${path}?a=b`, ['X-A: 1', `content-length: ${inner.length}`, 'X-A: 2'], inner),
  (path) => withHead(`POST ${path}`, [chunked], `${chunk(inner)}0\r\n\r\n`),
  (path) => withHead(`POST ${path}`, [chunked, 'Trailer: X-Sum'], `5;a=b\r\nhello\r\n${chunk(inner)}0\r\nX-Sum: 42\r\n\r\n`),
  (path) => withHead(`GET ${path}`, ['Connection: X-A, keep-alive', 'X-A: 1']),
  (path) => withHead(`POST ${path}`, ['Expect: 100-continue', 'Content-Length: 5'], 'hello'),
  (path) => withHead(`GET ${path}`, ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: a']),
  (path) => withHead(`POST ${path}`, ['Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 5'], 'hello'),
  (path) => withHead(`GET http://real${path}`, ['Content-Length: 0']),
  (path) => `GET ${path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`,
  (path) => withHead(`DELETE ${path}`, ['Connection: close', `Content-Length: ${inner.length}`], inner),
];

const pieces = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    '\0',
    '\x0b',
    '\x7f',
    '\xa0',
    ':',
    ';',
    ',',
    '"',
    '-',
    '+',
    '_',
    '0',
    '5',
    'a',
    'G',
  ],
  ...[
    '0x',
    'chunked',
    'gzip, ',
    '0\r\n\r\n',
    '5\r\n',
    ' HTTP/1.1\r\n',
    ' HTTP/1.0',
    'Host: i\r\n',
    '\r\n ',
    '/',
    '//',
    '/..',
    '%00',
  ],
  ...['Content-Length: 3\r\n', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: x\r\n'],
  ...['Connection: close\r\n', 'Connection: Upgrade\r\n', 'Upgrade: h2c\r\n', 'Expect: 100-continue\r\n', inner],
];

/** Some place; more often than not one where something ends. */
const somewhere = (text: string, random: Random): number => {
  const at = random.below(text.length + 1);
  if (random.below(3) === 0) return at;
  const end = text.slice(at).search(/[\r\n:; ,]/);
  return end === -1 ? at : at + end + random.below(3) - 1;
};

const mutated = (text: string, random: Random): string => {
  const at = Math.max(0, somewhere(text, random));
  const [before, after] = [text.slice(0, at), text.slice(at)];
  const how = random.below(5);
  if (how <= 1) return before + random.pick(pieces) + after;
  if (how === 2) return before + after.slice(1 + random.below(3));
  if (how === 3) return before + random.pick(pieces) + after.slice(1);
  // A line once more, somewhere else.
  const lines = text.split('\r\n');
  lines.splice(random.below(lines.length + 1), 0, random.pick(lines));
  return lines.join('\r\n');
};

/** One to three requests, with none to three wrong places, in one to three parts. @param prefix `/function/` and a name */
export const hostileBytes = (random: Random, prefix: string): string[] => {
  let text = '';
  for (let count = 1 + random.below(3), i = 0; i < count; i += 1) text += random.pick(originals)(`${prefix}/${i}`);
  for (let count = random.below(4); count > 0; count -= 1) text = mutated(text, random);
  const cuts = Array.from({ length: random.below(3) }, () => random.below(text.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => text.slice(from, cuts[i])).filter((part) => part !== '');
};
