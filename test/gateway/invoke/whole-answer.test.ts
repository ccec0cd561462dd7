import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { endWhole, setHead } from '../../../gateway/invoke/whole-answer.ts';
import { within } from '../../helpers/eventually.ts';
import { listen } from '../../helpers/listen.ts';
import { exchange } from './rig.ts';

const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
const body = Buffer.from('caf\xe9 \x00\xff\r\n', 'latin1');
const length = ['Content-Length', String(body.length)];

const answers: [string, string[]][] = [
  ['with a date of its own', ['X-A', 'caf\xe9', 'x-a', '', ...length, 'date', date]],
  ['without one', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', ...length]],
];

const write: Record<string, (res: ServerResponse, headers: string[]) => void> = {
  '/node': (res, headers) => void res.writeHead(201, 'Made, caf\xe9', headers).end(body),
  '/whole': (res, headers) => {
    setHead(res, 201, 'Made, caf\xe9', headers, () => date);
    assert.equal(res.headersSent, true);
    endWhole(res, body, (answer) => void answer.end());
  },
  '/parts': (res, headers) => {
    setHead(res, 201, 'Made, caf\xe9', headers, () => date);
    res.write(body.subarray(0, 3));
    setImmediate(() => res.end(body.subarray(3)));
  },
};

for (const [name, headers] of answers) {
  test(`an answer ${name} is the same bytes as node:http's, and the connection is kept`, async (t) => {
    const { port } = await listen(t, (req, res) => {
      if (req.url === '/last') res.writeHead(200, { Connection: 'close' }).end();
      else write[req.url as string]?.(res, headers);
    });
    const ask = async (path: string): Promise<string> => {
      const last = 'GET /last HTTP/1.1\r\nHost: h\r\n\r\n';
      const requests = `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n${last}`;
      const text = await within(exchange(port, requests, connect), `the answers to ${path} and what follows`);
      return text.replaceAll(/^Date: .*\r\n/gm, 'Date: now\r\n');
    };
    const expected = await ask('/node');
    assert.match(expected, /^HTTP\/1.1 201 Made/);
    assert.equal(await ask('/whole'), expected);
    assert.equal(await ask('/parts'), expected);
  });
}
