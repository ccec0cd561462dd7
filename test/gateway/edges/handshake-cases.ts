// What broken or hostile functions answer to a WebSocket handshake.
import assert from 'node:assert/strict';
import { headerOf } from '../../helpers/raw-client.ts';
import { chunked, type HostileCase, handedOver, handshake, says } from './case.ts';

const asked = { send: handshake([]), upstream: handedOver, after: 'closed' } as const;

const unreadable: readonly (readonly [what: string, bytes: string])[] = [
  ['101 without a word about which protocol', 'HTTP/1.1 101 Switching Protocols\r\n\r\nevil'],
  ['101 to another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nevil'],
  [
    '101 with a length and a coding',
    `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n${chunked}\r\n\r\n`,
  ],
  ['two lengths', 'HTTP/1.1 400 No\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nnop'],
  ['a length and a coding', `HTTP/1.1 400 No\r\nContent-Length: 2\r\n${chunked}\r\n\r\n2\r\nno\r\n0\r\n\r\n`],
  ['no HTTP', 'hello\r\n\r\n'],
  ['lines that end in a line feed', 'HTTP/1.1 400 No\nContent-Length: 2\n\nno'],
  ['a carriage return in a value', 'HTTP/1.1 400 No\r\nX: a\rEvil: b\r\nContent-Length: 2\r\n\r\nno'],
  ['NUL in a value', 'HTTP/1.1 400 No\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nno'],
];

export const answersToHandshakes: readonly HostileCase[] = [
  ...unreadable.map(
    ([what, bytes]): HostileCase => ({
      name: `a WebSocket handshake that is answered with ${what}`,
      ...asked,
      answers: ['502 gateway upstream'],
      function: says(bytes),
    }),
  ),
  {
    name: 'a WebSocket handshake that is answered with two answers: the second reaches nobody',
    ...asked,
    answers: ['400 function'],
    function: says('HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    check: [(answer) => assert.equal(answer.body, 'no')],
  },
  {
    name: 'a WebSocket handshake whose answer breaks off in its length',
    ...asked,
    answers: ['cut'],
    function: says('HTTP/1.1 400 No\r\nContent-Length: 20\r\n\r\nno', 'end'),
  },
  {
    name: 'a WebSocket handshake whose answer breaks off in its chunks',
    ...asked,
    answers: ['cut'],
    function: says(`HTTP/1.1 400 No\r\n${chunked}\r\n\r\n2\r\nno\r\n`, 'end'),
  },
  {
    name: 'a WebSocket handshake that is declined in Latin-1, with headers of the connection',
    ...asked,
    answers: ['403 function'],
    function: says('HTTP/1.1 403 N\xf6\r\nX: \xe9\r\nConnection: X-Inner\r\nX-Inner: 1\r\nContent-Length: 2\r\n\r\nno'),
    check: [
      (answer) => {
        assert.deepEqual([answer.reason, headerOf(answer, 'x'), headerOf(answer, 'x-inner')], ['N\xf6', '\xe9', undefined]);
      },
    ],
  },
  {
    name: 'headers of a WebSocket handshake with the names of what every object has are headers like others',
    ...asked,
    answers: ['200 function'],
    send: handshake(['Constructor: a', '__proto__: b']),
    upstream: handedOver.replace('X-Call-Id', 'Constructor: a\r\n__proto__: b\r\nX-Call-Id'),
  },
];
