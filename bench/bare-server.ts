// The yardstick for handlers: what node:http itself can do when it answers the same. The body becomes a text in between,
// because that is what the handlers get and give back.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'text/plain;charset=UTF-8');
  if (request.method !== 'POST') {
    response.setHeader('Content-Length', 5);
    response.end('hello');
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  });
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
