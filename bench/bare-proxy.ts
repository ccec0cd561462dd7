// The yardstick for the gateway: the least that a proxy on node:http and undici does. It looks at nothing, forwards to one
// unix socket, streams both ways, and is no example of how to write a proxy: it drops no header and drains nothing.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, Pool } from 'undici';

const socketPath = process.argv[2] ?? '';
const pool = new Pool('http://function', { socketPath, connections: 128, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

const into = (response: ServerResponse): Dispatcher.DispatchHandler => {
  let control: Dispatcher.DispatchController;
  return {
    onRequestStart(controller) {
      control = controller;
    },
    onResponseStart(_controller, status, headers) {
      // Also when the client leaves: a paused connection would stay in the pool, and a run of several rounds end with none.
      for (const event of ['drain', 'close']) response.on(event, () => control.resume());
      response.writeHead(status, headers);
    },
    onResponseData(_controller, chunk) {
      if (!response.write(chunk) && !response.destroyed) control.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError(_controller, error) {
      console.error(error);
      response.destroy();
    },
  };
};

const server = createServer((request, response) => {
  const { connection: _connection, ...headers } = request.headers;
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  const { method = 'GET', url = '/' } = request;
  pool.dispatch({ path: url, method: method as Dispatcher.HttpMethod, headers, body: hasBody ? request : null }, into(response));
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
