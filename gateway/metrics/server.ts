// The metrics port: /metrics and /healthz, nothing else, no credentials. OpenFaaS contract, 1.0 and 1.1.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { writeInSlices } from '../http/slices.ts';
import { createServer } from '../node-http.ts';
import type { FunctionMetrics } from './function-series.ts';
import { functionText } from './function-text.ts';
import type { ControlMetrics } from './registry.ts';

export type MetricsParts = { readonly functions: FunctionMetrics; readonly control: ControlMetrics };

const scrape = async (parts: MetricsParts, req: IncomingMessage, res: ServerResponse): Promise<void> => {
  const own = await parts.control.text();
  res.writeHead(200, { 'Content-Type': parts.control.contentType });
  if (req.method === 'HEAD') return void res.end();
  res.write(own);
  await writeInSlices(functionText(parts.functions), res);
  res.end();
};

const plain = (res: ServerResponse, status: number, text: string): void => {
  res.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
};

const metricsListener = (parts: MetricsParts): RequestListener => {
  return (req, res) => {
    const path = (req.url ?? '').split('?', 1)[0];
    if (path === '/metrics') {
      scrape(parts, req, res).catch((error: unknown) => {
        if (res.headersSent) res.destroy();
        else plain(res, 500, error instanceof Error ? error.message : String(error));
      });
    } else if (path === '/healthz' && req.method === 'GET') plain(res, 200, 'OK');
    else if (path === '/healthz') res.writeHead(405, { Allow: 'GET' }).end();
    else plain(res, 404, '404 page not found\n');
  };
};

export type MetricsServer = { readonly port: number; close(): Promise<void> };

/** @throws the listen error, `EADDRINUSE` among them */
export const startMetricsServer = (parts: MetricsParts, host: string, port: number): Promise<MetricsServer> =>
  new Promise((resolve, reject) => {
    const server = createServer(
      { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 65_000 },
      metricsListener(parts),
    );
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
