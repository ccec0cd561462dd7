// A gateway's invocation path over a provider that does what a test says, and upstream servers for it to call.
import { createServer as createHttpServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createFunctionHandler } from '../../../gateway/invoke/http.ts';
import { createInvoker, type InvokerParts } from '../../../gateway/invoke/invoke.ts';
import { type CallLimits, noLimits } from '../../../gateway/invoke/limits.ts';
import { type FunctionCounts, uncounted } from '../../../gateway/invoke/metrics.ts';
import { createFunctionTable, type FunctionTable } from '../../../gateway/invoke/table.ts';
import { isFunctionPath } from '../../../gateway/invoke/target.ts';
import { createActivator } from '../../../gateway/scale/activate.ts';
import { createServer, type GatewayServer } from '../../../gateway/server.ts';
import type { Address, FunctionReport } from '../../../provider/provider.ts';
import { FaasError } from '../../../provider/types/errors.ts';
import type { FunctionStatus } from '../../../provider/types/function.ts';
import { type FunctionRef, formatRef, parseRef } from '../../../provider/types/name.ts';
import { onEnd } from '../../helpers/cleanup.ts';

export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

export type Finished = { readonly key: string; readonly status: number; readonly seconds: number };

export type Rig = {
  readonly table: FunctionTable;
  readonly server: GatewayServer;
  readonly port: number;
  /** Everything the metrics were told. */
  readonly started: string[];
  readonly finished: Finished[];
  readonly coldStarts: string[];
  /** `name.namespace reason`. */
  readonly refused: string[];
  /** Calls that were cut, by the state of their replica. */
  readonly cuts: string[];
  /** Calls in line, by function. */
  readonly queued: Map<string, number>;
  /** Orders to scale, `name.namespace=replicas`. */
  readonly scaled: string[];
  readonly looked: string[];
  /** What `provider.get` and `provider.scale` do. */
  readonly provider: {
    get(ref: FunctionRef): Promise<FunctionStatus | undefined>;
    scale(ref: FunctionRef, replicas: number): Promise<void>;
  };
  report(key: string, changes?: Partial<FunctionReport>): void;
  ready(key: string, address: Address, id?: string, revision?: string): void;
  gone(key: string, id: string): Promise<void>;
};

export type RigOptions = {
  readonly upstreamTimeoutMs?: number | undefined;
  readonly maxWaiting?: number;
  readonly headersTimeoutMs?: number | undefined;
  readonly checkMs?: number;
  readonly random?: () => number;
  readonly limits?: Partial<CallLimits>;
  readonly watching?: InvokerParts['watching'];
  readonly callLog?: InvokerParts['callLog'];
};

export const startRig = async (t: TestContext, options: RigOptions = {}): Promise<Rig> => {
  const upstreamTimeoutMs = options.upstreamTimeoutMs ?? 10_000;
  const started: string[] = [];
  const finished: Finished[] = [];
  const coldStarts: string[] = [];
  const refused: string[] = [];
  const cuts: string[] = [];
  const queued = new Map<string, number>();
  const scaled: string[] = [];
  const looked: string[] = [];
  const countsOf = (key: string): FunctionCounts => ({
    ...uncounted,
    started: () => started.push(key),
    finished: (status, seconds) => finished.push({ key, status, seconds }),
    coldStart: () => coldStarts.push(key),
    refused: (reason) => refused.push(`${key} ${reason}`),
    cut: (ending) => cuts.push(`${key} ${ending ? 'ending' : 'running'}`),
    queued: (change) => queued.set(key, (queued.get(key) ?? 0) + change),
  });
  const table = createFunctionTable({ limits: { ...noLimits, ...options.limits }, countsOf });
  const provider: Rig['provider'] = { get: async () => undefined, scale: async () => {} };
  const asked = {
    get: (ref: FunctionRef) => {
      looked.push(formatRef(ref));
      return provider.get(ref);
    },
    scale: (ref: FunctionRef, replicas: number) => {
      scaled.push(`${formatRef(ref)}=${replicas}`);
      return provider.scale(ref, replicas);
    },
  };
  const activator = createActivator({ table, provider: asked, waitLimitMs: upstreamTimeoutMs, maxWaiting: options.maxWaiting });
  const invoker = createInvoker({
    table,
    provider: asked,
    activator,
    upstreamTimeoutMs,
    random: options.random,
    watching: options.watching,
    callLog: options.callLog,
  });
  const server = createServer({
    functions: createFunctionHandler({ invoker, defaultNamespace: 'openfaas-fn', version: '1.2.3' }),
    control: (req, res) => {
      req.on('data', () => {});
      req.on('end', () => res.end('control'));
    },
    isFunctionPath,
    headersTimeoutMs: options.headersTimeoutMs,
    checkMs: options.checkMs,
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  onEnd(t, async () => {
    activator.close();
    invoker.close();
    await server.close();
    for (const entry of table.entries()) for (const endpoint of entry.ready) await table.endpointGone(entry.ref, endpoint.id);
  });
  let ids = 0;
  const reports = new Map<string, FunctionReport>();
  const report = (key: string, changes: Partial<FunctionReport> = {}): void => {
    const base = reports.get(key) ?? { ref: parseRef(key), revision: 'r1', labels: {}, annotations: {}, replicas: 1 };
    const next = { ...base, ...changes };
    reports.set(key, next);
    table.functionChanged(next);
  };
  return {
    table,
    server,
    port,
    started,
    finished,
    coldStarts,
    refused,
    cuts,
    queued,
    scaled,
    looked,
    provider,
    report,
    ready(key, address, id = `endpoint-${ids++}`, revision = 'r1') {
      // Replicas start when the function is to have some.
      if (table.get(key) === undefined || reports.get(key)?.replicas === 0) report(key, { replicas: 1 });
      table.endpointReady(parseRef(key), { id, revision, address });
    },
    gone: (key, id) => table.endpointGone(parseRef(key), id),
  };
};

/** An HTTP server on a free port or on a socket path; closed with all its connections after the test. */
export const startUpstream = async (t: TestContext, handler: Handler, socketPath?: string): Promise<Address> => {
  const server = createHttpServer({ keepAliveTimeout: 60_000 }, handler);
  return listen(t, server, socketPath, () => server.closeAllConnections());
};

/** A server of raw connections. */
export const startRawUpstream = async (t: TestContext, accept: (socket: Socket) => void): Promise<Address> => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    accept(socket);
  });
  return listen(t, server, undefined, () => {
    for (const socket of sockets) socket.destroy();
  });
};

export const listen = async (
  t: TestContext,
  server: Server,
  socketPath: string | undefined,
  cut: () => void,
): Promise<Address> => {
  const bound = Promise.withResolvers<void>();
  server.once('error', bound.reject);
  if (socketPath === undefined) server.listen(0, '127.0.0.1', bound.resolve);
  else server.listen(socketPath, bound.resolve);
  await bound.promise;
  onEnd(t, () => {
    cut();
    server.close();
  });
  return socketPath === undefined ? { host: '127.0.0.1', port: (server.address() as AddressInfo).port } : { socketPath };
};

export type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly raw: string[];
  readonly trailers: IncomingMessage['trailers'];
  readonly text: string;
};

export type CallOptions = {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
};

/** One call on a connection of its own. Rejects when the answer does not arrive whole. */
export const call = (rig: { readonly port: number }, path: string, options: CallOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', body } = options;
    const headers = { ...options.headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) };
    const req = request({ host: '127.0.0.1', port: rig.port, path, method, headers, agent: false });
    req.on('error', reject);
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () =>
        resolve({
          status: res.statusCode as number,
          headers: res.headers,
          raw: res.rawHeaders,
          trailers: res.trailers,
          text: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    });
    req.end(body);
  });

/** Sends bytes on a connection of its own and returns what came back until the other side closed it. */
export const exchange = async (port: number, bytes: string, connect: (port: number, host: string) => Socket): Promise<string> => {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes, 'latin1');
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  return text;
};

export const unavailable = (message: string): FaasError => new FaasError('unavailable', message);
