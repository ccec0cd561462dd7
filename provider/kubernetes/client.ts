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

const createAgent = ({ ca, cert, key, rejectUnauthorized, servername }: Credentials): Agent => {
  const tls = Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined);
  return new Agent({
    connect: { ...Object.fromEntries(tls), timeout: 5000, keepAlive: true },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
};

export const createKubeApi = (cluster: Cluster, now: () => number = Date.now): KubeApi => {
  const { origin, pathname } = new URL(cluster.server);
  const prefix = pathname.replace(/\/+$/, '');
  let agent: Agent | undefined;
  let agentKey = '';
  let headers: Record<string, string> = {};
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<Agent> | undefined;
  let closed = false;

  const refresh = async (): Promise<Agent> => {
    const options: Credentials = { headers: {} };
    await cluster.config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
    const basic = options.auth === undefined ? undefined : `Basic ${Buffer.from(options.auth).toString('base64')}`;
    headers = { ...options.headers, ...(basic === undefined ? {} : { Authorization: basic }) };
    const key = tlsKey(options);
    if (agent === undefined || key !== agentKey) {
      const before = agent;
      agent = createAgent(options);
      agentKey = key;
      before?.close().catch(() => undefined);
    }
    readAtMs = now();
    return agent;
  };

  const connected = async (): Promise<Agent> => {
    if (closed) throw new Error('the connection to Kubernetes is closed');
    if (agent !== undefined && now() - readAtMs < credentialsMs) return agent;
    reading ??= refresh().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  const send = async (method: Dispatcher.HttpMethod, path: string, options: CallOptions): Promise<Dispatcher.ResponseData> => {
    const { query, body, contentType = 'application/json', signal } = options;
    for (let attempt = 1; ; attempt += 1) {
      const dispatcher = await connected();
      const answer = await dispatcher.request({
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
      readAtMs = Number.NEGATIVE_INFINITY;
    }
  };

  return {
    async call<Answer>(method: Dispatcher.HttpMethod, path: string, options: CallOptions = {}) {
      const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
      const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
      const { body } = await send(method, path, { ...options, signal });
      return JSON.parse((await buffer(body)).toString()) as Answer;
    },
    async stream(path, options = {}) {
      const { body } = await send('GET', path, options);
      return body;
    },
    close: async () => {
      closed = true;
      await agent?.destroy();
    },
  };
};
