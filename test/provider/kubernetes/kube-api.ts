// An API server as small as tests need it, over real HTTP, that can be told to misbehave.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { KubeObject } from '../../../provider/kubernetes/objects.ts';
import { type Cleanup, onEnd } from '../../helpers/cleanup.ts';
import { KubeStore, Refusal } from './kube-store.ts';

export type Seen = { readonly line: string; readonly body: unknown; readonly type: string | undefined };

export type FakeKubeApi = {
  readonly url: string;
  /** Method, path and query of every request. */
  readonly requests: readonly string[];
  /** The same with bodies, of those that change something. */
  readonly writes: readonly Seen[];
  /** Stores it and tells the watches, as another client would; of `/things` unless told. */
  put(item: KubeObject, collection?: string): KubeObject;
  find<Found extends KubeObject>(path: string): Found | undefined;
  remove(name: string, collection?: string): void;
  /** Watches from before now are answered that they are too old. */
  forgetHistory(): void;
  /** Ends all open watches in the middle. */
  cut(): void;
  /** Refuses connections until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Answers for requests with that beginning of `METHOD path`, in place of its own, so many times. */
  answer(beginning: string, status: number, body: object, times?: number): void;
  /** Runs before the next request with that beginning is answered: what somebody else does in between. */
  before(beginning: string, work: () => void | Promise<void>): void;
  openWatches(): number;
};

const plurals: ReadonlySet<string> = new Set([
  'things',
  'deployments',
  'services',
  'pods',
  'secrets',
  'events',
  'namespaces',
  'profiles',
  'selfsubjectaccessreviews',
]);

const send = (res: ServerResponse, status: number, body: object): void => {
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
};

const list = (store: KubeStore, collection: string, query: URLSearchParams): object => {
  const all = store.list(collection, query);
  const from = Number(query.get('continue') ?? 0);
  const to = from + Number(query.get('limit') ?? all.length);
  const metadata = { resourceVersion: String(store.version), ...(to < all.length ? { continue: String(to) } : {}) };
  return { metadata, items: all.slice(from, to) };
};

type Watch = { readonly collection: string; readonly query: URLSearchParams; readonly res: ServerResponse };

const createWatches = (store: KubeStore) => {
  const open = new Set<Watch>();
  const tell = ({ collection, query, res }: Watch, event: (typeof store.history)[number]): void => {
    if (!KubeStore.isIn(event.collection, collection) || !KubeStore.matches(query, event.object)) return;
    res.write(`${JSON.stringify({ type: event.type, object: event.object })}\n`);
  };
  store.onEvent = (event) => {
    for (const watch of open) tell(watch, event);
  };
  return {
    open,
    begin(watch: Watch): void {
      const { query, res } = watch;
      const since = Number(query.get('resourceVersion'));
      if (since < store.oldest) {
        const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
        res.writeHead(200).end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
        return;
      }
      res.writeHead(200, { 'Content-Type': 'application/json' });
      res.flushHeaders();
      for (const event of store.history) if (event.version > since) tell(watch, event);
      open.add(watch);
      res.on('close', () => open.delete(watch));
    },
  };
};

type Body = KubeObject & { preconditions?: { uid?: string } };

type Asked = {
  readonly method: string;
  readonly path: string;
  readonly body: Body | undefined;
  readonly type: string | undefined;
};

/** What the methods of objects do. @throws Refusal */
const act = (store: KubeStore, { method, path, body, type }: Asked): { status: number; body: object } => {
  if (method === 'POST') {
    if (path.endsWith('/selfsubjectaccessreviews')) return { status: 201, body: { ...body, status: { allowed: true } } };
    return { status: 201, body: store.create(path, body as KubeObject) };
  }
  if (method === 'PUT') return { status: 200, body: store.replace(path, body as KubeObject) };
  // Server-side apply makes what is not there.
  const isNew = type === 'application/apply-patch+yaml' && store.find(path) === undefined;
  if (method === 'PATCH' && isNew)
    return { status: 201, body: store.create(path.slice(0, path.lastIndexOf('/')), body as KubeObject) };
  if (method === 'PATCH') return { status: 200, body: store.patch(path, body) };
  if (method === 'DELETE') return { status: 200, body: store.delete(path, body?.preconditions?.uid) };
  const found = path === '/version' ? { gitVersion: 'v1.20.0' } : store.find(path);
  if (found === undefined) throw new Refusal(404, 'NotFound', `"${path.split('/').at(-1)}" not found`);
  return { status: 200, body: found };
};

const createHandler = (store: KubeStore, watches: ReturnType<typeof createWatches>) => {
  const requests: string[] = [];
  const writes: Seen[] = [];
  const answers: { beginning: string; status: number; body: object; times: number }[] = [];
  const interruptions: { beginning: string; work: () => void | Promise<void> }[] = [];

  const told = (line: string) => {
    const found = answers.find(({ beginning, times }) => times > 0 && line.startsWith(beginning));
    if (found !== undefined) found.times -= 1;
    return found;
  };
  const interrupt = async (line: string): Promise<void> => {
    const at = interruptions.findIndex(({ beginning }) => line.startsWith(beginning));
    if (at !== -1) await interruptions.splice(at, 1)[0]?.work();
  };

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { pathname, searchParams: query, search } = new URL(req.url ?? '', 'http://x');
    const { method = 'GET' } = req;
    const line = `${method} ${pathname}`;
    const sent = await text(req);
    const body = sent === '' ? undefined : (JSON.parse(sent) as Body);
    requests.push(line + search);
    if (method !== 'GET') writes.push({ line: line + search, body, type: req.headers['content-type'] });
    await interrupt(line);
    const answer = told(line);
    const isCollection = plurals.has(pathname.split('/').at(-1) ?? '');
    if (answer !== undefined) send(res, answer.status, answer.body);
    else if (query.has('watch')) watches.begin({ collection: pathname, query, res });
    else if (method === 'GET' && isCollection) send(res, 200, list(store, pathname, query));
    else {
      const done = act(store, { method, path: pathname, body, type: req.headers['content-type'] });
      send(res, done.status, done.body);
    }
  };

  return {
    requests,
    writes,
    answers,
    interruptions,
    listener: (req: IncomingMessage, res: ServerResponse): void => {
      handle(req, res).catch((error) => {
        const { code = 500, reason = 'InternalError', message } = error as Refusal;
        send(res, code, { kind: 'Status', code, reason, message });
      });
    },
  };
};

export const startKubeApi = async (t: Cleanup): Promise<FakeKubeApi> => {
  const store = new KubeStore();
  const watches = createWatches(store);
  const { requests, writes, answers, interruptions, listener } = createHandler(store, watches);
  let port = 0;
  let server = createServer(listener);
  const start = async (): Promise<void> => {
    server = createServer(listener);
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
    writes,
    put: (item, collection = '/things') => store.write(collection, item),
    find: <Found extends KubeObject>(path: string) => store.find(path) as Found | undefined,
    remove: (name, collection = '/things') => void store.delete(`${collection}/${name}`),
    forgetHistory() {
      store.version += 1;
      store.oldest = store.version;
      store.history.length = 0;
    },
    cut() {
      for (const { res } of watches.open) res.destroy();
    },
    stop,
    start,
    answer: (beginning, status, body, times = Number.POSITIVE_INFINITY) => void answers.push({ beginning, status, body, times }),
    before: (beginning, work) => void interruptions.push({ beginning, work }),
    openWatches: () => watches.open.size,
  };
};
