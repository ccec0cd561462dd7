// A client of the API server: client-node finds cluster and credentials, node:https carries the requests.
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';
import { FaasError } from '../types/errors.ts';
import type { CallOptions, KubeApi, Query } from './api.ts';
import { toKubeError } from './errors.ts';
import { ask, createAgent, type KubeAgent, type TlsOptions } from './requests.ts';

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

type Credentials = TlsOptions & { headers?: Record<string, string>; auth?: string };

/** As long as no request is refused, credentials are read again after this time: tokens in pods are replaced hourly. */
const credentialsMs = 30_000;

const withQuery = (path: string, query: Query = {}): string => {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  if (pairs.length === 0) return path;
  return `${path}?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
};

const tlsKey = ({ ca, cert, key, rejectUnauthorized, servername }: Credentials): string =>
  [ca, cert, key, rejectUnauthorized, servername].map(String).join('\n');

/** Requests that are under way at once; each connection costs a handshake first. */
const mostCalls = 64;

type Agents = { readonly calls: KubeAgent; readonly streams: KubeAgent };

const createAgents = (server: URL, credentials: Credentials): Agents => {
  const { ca, cert, key, rejectUnauthorized, servername } = credentials;
  const given = Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined);
  const tls: TlsOptions = Object.fromEntries(given);
  return {
    calls: createAgent(server, tls, mostCalls),
    // Each takes a connection for as long as it lasts.
    streams: createAgent(server, tls, Number.POSITIVE_INFINITY),
  };
};

type Way = { readonly agents: Agents; readonly headers: Readonly<Record<string, string>> };

/** Connections with the credentials of the moment. */
const createWays = ({ config, server }: Cluster, now: () => number) => {
  const url = new URL(server);
  /** All that were made: what goes over those with credentials of before goes on to its end. */
  const made = new Set<KubeAgent>();
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
    if (way !== undefined && tlsKey(options) === key) way = { ...way, headers };
    else {
      way = { agents: createAgents(url, options), headers };
      key = tlsKey(options);
      for (const agent of Object.values(way.agents)) made.add(agent);
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
    close(): void {
      closed = true;
      for (const agent of made) agent.destroy();
    },
  };
};

export const createKubeApi = (cluster: Cluster, now: () => number = Date.now): KubeApi => {
  const server = new URL(cluster.server);
  const prefix = server.pathname.replace(/\/+$/, '');
  const ways = createWays(cluster, now);

  const send = async (
    kind: keyof Agents,
    method: string,
    path: string,
    { query, body, contentType = 'application/json', signal }: CallOptions,
  ): Promise<IncomingMessage> => {
    for (let attempt = 1; ; attempt += 1) {
      const { agents, headers } = await ways.get();
      const answer = await ask(server, agents[kind], {
        method,
        path: prefix + withQuery(path, query),
        headers: { ...headers, Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': contentType }) },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal,
      });
      const { statusCode = 0 } = answer;
      if (statusCode < 300) return answer;
      const text = (await buffer(answer)).toString();
      // A token that ran out since it was read: once more with a new one.
      if (statusCode !== 401 || attempt > 1) throw toKubeError(statusCode, text, answer.headers['retry-after'] ?? '');
      ways.expire();
    }
  };

  return {
    async call<Answer>(method: string, path: string, options: CallOptions = {}) {
      const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
      const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
      try {
        const answer = await send('calls', method, path, { ...options, signal });
        return JSON.parse((await buffer(answer)).toString()) as Answer;
      } catch (error) {
        // Of an answer that is cut by it only the cut is told.
        throw signal.aborted ? signal.reason : error;
      }
    },
    stream: (path, options = {}) => send('streams', 'GET', path, options),
    close: async () => ways.close(),
  };
};
