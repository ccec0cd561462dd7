// A client of the API server: client-node finds cluster and credentials, undici carries the requests.
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';
import { FaasError } from '../types/errors.ts';
import type { CallOptions, KubeApi, Query } from './api.ts';
import { toKubeError } from './errors.ts';

export type ClusterSource = {
  /** Path of a kubeconfig; without one the service account of the pod is used, then `~/.kube/config`. */
  readonly kubeconfig?: string | undefined;
  /** The `KUBERNETES_SERVICE_HOST` of a pod; set means inside a cluster. */
  readonly serviceHost?: string | undefined;
  readonly home: string;
};

export type Cluster = {
  readonly config: KubeConfig;
  readonly server: string;
  readonly inside: boolean;
};

/** @throws invalid when there is no cluster to be found or its configuration makes no sense */
export const findCluster = async (source: ClusterSource): Promise<Cluster> => {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const inside = !source.kubeconfig && source.serviceHost !== undefined;
  const file = source.kubeconfig || `${source.home}/.kube/config`;
  try {
    if (inside) config.loadFromCluster();
    else {
      await readFile(file);
      config.loadFromFile(file);
    }
  } catch (cause) {
    const where = inside ? 'the service account of this pod' : file;
    const hint = source.kubeconfig ? '' : '; name a kubeconfig with --kubeconfig';
    throw new FaasError('invalid', `kubeconfig: expected a usable one in ${where}: ${(cause as Error).message}${hint}`, {
      cause,
    });
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new FaasError('invalid', `kubeconfig: expected a current context that names a cluster and a user in ${file}`);
  }
  return { config, server, inside };
};

type TlsOptions = { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer; rejectUnauthorized?: boolean };
type Credentials = TlsOptions & { servername?: string; headers?: Record<string, string>; auth?: string };

/** As long as no request is refused, credentials are read again after this time: tokens in pods are replaced hourly. */
const credentialsMs = 30_000;

const withQuery = (path: string, query: Query = {}): string => {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (pairs.length === 0) return path;
  return `${path}?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
};

const tlsKey = ({ ca, cert, key, rejectUnauthorized, servername }: Credentials): string =>
  [ca, cert, key, rejectUnauthorized, servername].map(String).join('\n');

/**
 * A connection that is silent for so long is asked about by the kernel, every second; ten questions without an answer end it.
 * This costs no request.
 */
const keepAliveMs = 5000;

/** Requests that are under way at once; each connection costs a handshake first. */
const mostCalls = 64;

type Agents = { readonly calls: Agent; readonly streams: Agent };

const createAgent = ({ ca, cert, key, rejectUnauthorized, servername }: Credentials, connections: number | null): Agent => {
  const tls = Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined);
  return new Agent({
    connect: { ...Object.fromEntries(tls), timeout: 5000, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
    // By HTTP/2 everything would go over one connection, and a dead one stays in use for as long as it is asked over.
    allowH2: false,
    connections,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
};

const createAgents = (credentials: Credentials): Agents => ({
  calls: createAgent(credentials, mostCalls),
  // Each takes a connection for as long as it lasts.
  streams: createAgent(credentials, null),
});

const all = ({ calls, streams }: Agents, work: (agent: Agent) => Promise<void>): Promise<unknown> =>
  Promise.all([work(calls), work(streams)]);

type Way = { readonly agents: Agents; readonly headers: Readonly<Record<string, string>> };

/** Connections with the credentials of the moment. */
const createWays = (config: KubeConfig, now: () => number) => {
  let way: Way | undefined;
  let key = '';
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Way> | undefined;
  let closed = false;

  const read = async (): Promise<Way> => {
    const options: Credentials = { headers: {} };
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
    const basic = options.auth === undefined ? undefined : `Basic ${Buffer.from(options.auth).toString('base64')}`;
    const headers = { ...options.headers, ...(basic === undefined ? {} : { Authorization: basic }) };
    const before = way;
    if (before !== undefined && tlsKey(options) === key) way = { ...before, headers };
    else {
      way = { agents: createAgents(options), headers };
      key = tlsKey(options);
      if (before !== undefined) all(before.agents, (agent) => agent.close()).catch(() => undefined);
    }
    readAtMs = now();
    return way;
  };

  return {
    async get(): Promise<Way> {
      if (closed) throw new Error('the connection to Kubernetes is closed');
      if (way !== undefined && now() - readAtMs < credentialsMs) return way;
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    /** Credentials are read again for the next request. */
    expire: (): void => {
      readAtMs = Number.NEGATIVE_INFINITY;
    },
    async close() {
      closed = true;
      if (way !== undefined) await all(way.agents, (agent) => agent.destroy());
    },
  };
};

export const createKubeApi = (cluster: Cluster, now: () => number = Date.now): KubeApi => {
  const { origin, pathname } = new URL(cluster.server);
  const prefix = pathname.replace(/\/+$/, '');
  const ways = createWays(cluster.config, now);

  const send = async (
    kind: keyof Agents,
    method: Dispatcher.HttpMethod,
    path: string,
    { query, body, contentType = 'application/json', signal }: CallOptions,
  ): Promise<Dispatcher.ResponseData> => {
    for (let attempt = 1; ; attempt += 1) {
      const { agents, headers } = await ways.get();
      const answer = await agents[kind].request({
        origin,
        path: prefix + withQuery(path, query),
        method,
        headers: { ...headers, Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': contentType }) },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: 30_000,
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.statusCode < 300) return answer;
      const text = (await buffer(answer.body)).toString();
      // A token that ran out since it was read: once more with a new one.
      if (answer.statusCode !== 401 || attempt > 1) {
        throw toKubeError(answer.statusCode, text, String(answer.headers['retry-after'] ?? ''));
      }
      ways.expire();
    }
  };

  return {
    async call<Answer>(method: Dispatcher.HttpMethod, path: string, options: CallOptions = {}) {
      const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
      const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
      const { body } = await send('calls', method, path, { ...options, signal });
      return JSON.parse((await buffer(body)).toString()) as Answer;
    },
    async stream(path, options = {}) {
      const { body } = await send('streams', 'GET', path, options);
      return body;
    },
    close: ways.close,
  };
};
