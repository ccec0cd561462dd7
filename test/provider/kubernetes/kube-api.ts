// An API server as small as a test of lists and watches needs it, over real HTTP, that can be told to misbehave.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '../../../provider/kubernetes/objects.ts';
import { type Cleanup, onEnd } from '../../helpers/cleanup.ts';

export type FakeKubeApi = {
  readonly url: string;
  /** Method, path and query of every request. */
  readonly requests: readonly string[];
  /** Stores it and tells the watches. */
  put(item: KubeObject): void;
  remove(name: string): void;
  /** Watches from before now are answered that they are too old. */
  forgetHistory(): void;
  /** Ends all open watches in the middle. */
  cut(): void;
  /** Refuses connections until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Answers for requests with that beginning of `METHOD path`, in place of its own. */
  answer(beginning: string, status: number, body: object): void;
  openWatches(): number;
};

type Event = { readonly version: number; readonly type: string; readonly object: KubeObject };

export const startKubeApi = async (t: Cleanup): Promise<FakeKubeApi> => {
  const items = new Map<string, KubeObject>();
  const history: Event[] = [];
  const watches = new Set<ServerResponse>();
  const requests: string[] = [];
  const answers = new Map<string, { status: number; body: object }>();
  let version = 10;
  let oldest = 0;
  let port = 0;

  const note = (type: string, item: KubeObject): void => {
    version += 1;
    const object = { ...item, metadata: { ...item.metadata, resourceVersion: String(version) } };
    if (type === 'DELETED') items.delete(item.metadata.name);
    else items.set(item.metadata.name, object);
    history.push({ version, type, object });
    for (const watch of watches) watch.write(`${JSON.stringify({ type, object })}\n`);
  };

  const send = (res: ServerResponse, status: number, body: object): void => {
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };

  const list = (query: URLSearchParams, res: ServerResponse): void => {
    const all = [...items.values()];
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit') ?? all.length);
    const metadata = { resourceVersion: String(version), ...(to < all.length ? { continue: String(to) } : {}) };
    send(res, 200, { metadata, items: all.slice(from, to) });
  };

  const watch = (query: URLSearchParams, res: ServerResponse): void => {
    const since = Number(query.get('resourceVersion'));
    if (since < oldest) {
      const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
      res.writeHead(200).end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.flushHeaders();
    for (const { version: at, type, object } of history) if (at > since) res.write(`${JSON.stringify({ type, object })}\n`);
    watches.add(res);
    res.on('close', () => watches.delete(res));
  };

  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    const { pathname, searchParams, search } = new URL(req.url ?? '', 'http://x');
    requests.push(`${req.method} ${pathname}${search}`);
    const told = [...answers].find(([beginning]) => `${req.method} ${pathname}`.startsWith(beginning))?.[1];
    if (told !== undefined) send(res, told.status, told.body);
    else if (searchParams.has('watch')) watch(searchParams, res);
    else list(searchParams, res);
  };

  let server = createServer(handle);
  const start = async (): Promise<void> => {
    server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  await start();
  onEnd(t, stop);
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    requests,
    put: (item) => note(items.has(item.metadata.name) ? 'MODIFIED' : 'ADDED', item),
    remove(name) {
      const item = items.get(name);
      if (item !== undefined) note('DELETED', item);
    },
    forgetHistory() {
      version += 1;
      oldest = version;
      history.length = 0;
    },
    cut() {
      for (const res of watches) res.destroy();
    },
    stop,
    start,
    answer: (beginning, status, body) => void answers.set(beginning, { status, body }),
    openWatches: () => watches.size,
  };
};
