import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onEnd } from '../helpers/cleanup.ts';
import { within } from '../helpers/eventually.ts';
import { startHandler } from './blank-process.ts';

const styles = {
  event: 'module.exports = async (event, context) => event.body ?? "none"',
  web: 'module.exports = { fetch: async (request) => new Response((await request.text()) || "none") }',
  'web that reads late': `module.exports = { fetch: async (request) => {
    await new Promise((go) => setTimeout(go, 40)); return new Response((await request.text()) || "none") } }`,
} as const;

const head = (framing: string): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n${framing}\r\n\r\n`;
const sized = (body: string): string => `${head(`Content-Length: ${body.length}`)}${body}`;
const long = 'x'.repeat(200_000);

/** What is written at a time, and the bodies that the function must have got. */
const arrangements: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['one piece', [sized('whole')], ['whole']],
  ['head, then body', [head('Content-Length: 5'), 'later'], ['later']],
  ['a body in two', [`${head('Content-Length: 6')}abc`, 'def'], ['abcdef']],
  ['no body', [head('Content-Length: 0')], ['none']],
  ['two calls at once', [sized('first') + sized('second')], ['first', 'second']],
  ['one call and the half of another', [`${sized('first')}${head('Content-Length: 4')}se`, 'co'], ['first', 'seco']],
  ['a long body', [sized(long)], [long]],
  ['chunks at once', [`${head('Transfer-Encoding: chunked')}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`], ['abcde']],
  ['chunks one by one', [`${head('Transfer-Encoding: chunked')}3\r\nabc\r\n`, '2\r\nde\r\n', '0\r\n\r\n'], ['abcde']],
];

const openSocket = async (t: TestContext, path: string): Promise<Socket> => {
  const socket = connect(path);
  onEnd(t, () => socket.destroy());
  await within(once(socket, 'connect'), 'a connection');
  return socket.setEncoding('latin1');
};

/** Bodies of answers as they come. */
const readAnswers = async (socket: Socket, count: number): Promise<string[]> => {
  const bodies: string[] = [];
  let text = '';
  while (bodies.length < count) {
    const end = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1]);
    if (end === -1 || text.length < end + 4 + length) {
      const [more] = await within(once(socket, 'data'), `answer ${bodies.length + 1}`);
      text += more;
    } else {
      bodies.push(text.slice(end + 4, end + 4 + length));
      text = text.slice(end + 4 + length);
    }
  }
  assert.equal(text, '');
  return bodies;
};

for (const [style, source] of Object.entries(styles)) {
  test(`a handler of style ${style} gets its body however it comes, call after call on one connection`, async (t) => {
    const { socketPath } = await startHandler(t, source, { MAX_TEXT_SIZE: '1mb' });
    const socket = await openSocket(t, socketPath);
    for (const [what, pieces, bodies] of [...arrangements, ...arrangements.toReversed()]) {
      const answers = readAnswers(socket, bodies.length);
      for (const [index, piece] of pieces.entries()) {
        // Only so that they come apart: what is answered must not depend on it.
        if (index > 0) await sleep(15);
        socket.write(piece);
      }
      assert.deepEqual(await answers, bodies, what);
    }
  });
}
