// The proxy that one finds in most Node.js gateways: Express in front of http-proxy, with a keep-alive agent.
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import httpProxy from 'http-proxy';

const socketPath = process.argv[2] ?? '';
const agent = new Agent({ keepAlive: true, maxSockets: 128 });
const proxy = httpProxy.createProxyServer({ target: { socketPath, host: 'function' } as never, agent });
proxy.on('error', (_error, _request, response) => void ('destroy' in response && response.destroy()));

const app = express();
app.disable('x-powered-by');
app.use('/function/:name', (request, response) => proxy.web(request, response));

const server = createServer(app);
server.listen(0, '127.0.0.1', () => console.log(`listening ${(server.address() as AddressInfo).port}`));
