// A registry of images on a free port: OCI's distribution protocol as far as a push and a pull need it, with logins and
// failures as a test wants them.
import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Cleanup } from '../../../helpers/cleanup.ts';
import { listen } from '../../../helpers/listen.ts';

export type Asked = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers'] };

/** What happens instead: a status, or a connection that is cut after so many bytes of the request. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly cutAfter: number };

export type RegistryOptions = {
  /** `token`: a service that knows `ada:secret`, or takes the refresh token `remembered`. */
  readonly login?: 'basic' | 'token';
  readonly fault?: (asked: Asked) => Fault | undefined;
};

export type TestRegistry = {
  /** `127.0.0.1:<port>`. */
  readonly name: string;
  readonly asked: Asked[];
  /** `METHOD path` without the query, in order. */
  calls(): string[];
  /** From `repository@digest` to its bytes. */
  readonly blobs: Map<string, Buffer>;
  /** From `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, { mediaType: string; bytes: Buffer }>;
  /** Scopes that tokens were asked for. */
  readonly scopes: string[][];
};

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const basic = `Basic ${Buffer.from('ada:secret').toString('base64')}`;

type State = TestRegistry & { readonly uploads: Map<string, Buffer>; readonly tokens: Map<string, string[]> };

const fail = (response: ServerResponse, status: number, code: string): void => {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ errors: [{ code, message: `said ${code}` }] }));
};

const giveToken = async (state: State, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? '', 'http://registry');
  const form = new URLSearchParams((await buffer(request)).toString());
  const isKnown = request.headers.authorization === basic || form.get('refresh_token') === 'remembered';
  if (!isKnown) return fail(response, 401, 'UNAUTHORIZED');
  const scopes = request.method === 'POST' ? (form.get('scope') ?? '').split(' ') : url.searchParams.getAll('scope');
  state.scopes.push(scopes);
  const token = randomUUID();
  state.tokens.set(token, scopes);
  response.end(JSON.stringify({ token }));
};

const mayPass = (state: State, request: IncomingMessage, repository: string, login: RegistryOptions['login']): boolean => {
  const { authorization = '' } = request.headers;
  if (login === undefined) return true;
  if (login === 'basic') return authorization === basic;
  const action = ['GET', 'HEAD'].includes(request.method ?? '') ? 'pull' : 'push';
  const scopes = state.tokens.get(authorization.replace('Bearer ', '')) ?? [];
  return scopes.some((scope) => scope.startsWith(`repository:${repository}:`) && scope.includes(action));
};

const takeManifest = async (
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  name: string,
) => {
  if (request.method === 'PUT') {
    const bytes = await buffer(request);
    const entry = { mediaType: request.headers['content-type'] ?? '', bytes };
    state.manifests.set(`${repository}@${digestOf(bytes)}`, entry);
    if (!name.startsWith('sha256:')) state.manifests.set(`${repository}:${name}`, entry);
    response.writeHead(201).end();
    return;
  }
  const found = state.manifests.get(`${repository}${name.startsWith('sha256:') ? '@' : ':'}${name}`);
  if (found === undefined) return fail(response, 404, 'MANIFEST_UNKNOWN');
  const headers = { 'content-type': found.mediaType, 'docker-content-digest': digestOf(found.bytes) };
  response
    .writeHead(200, { ...headers, 'content-length': found.bytes.length })
    .end(request.method === 'HEAD' ? undefined : found.bytes);
};

const startUpload = (state: State, url: URL, response: ServerResponse, repository: string): void => {
  const mount = url.searchParams.get('mount');
  const source = mount === null ? undefined : state.blobs.get(`${url.searchParams.get('from')}@${mount}`);
  if (source !== undefined) {
    state.blobs.set(`${repository}@${mount}`, source);
    response.writeHead(201).end();
    return;
  }
  const id = randomUUID();
  state.uploads.set(id, Buffer.alloc(0));
  response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/${id}?state=0`, range: '0-0' }).end();
};

const continueUpload = async (
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  id: string,
) => {
  const held = state.uploads.get(id);
  if (held === undefined) return fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
  const location = `/v2/${repository}/blobs/uploads/${id}`;
  const rangeOf = (bytes: Buffer) => ({ location, range: `0-${Math.max(0, bytes.length - 1)}` });
  if (request.method === 'GET') return response.writeHead(204, rangeOf(held)).end();
  const start = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) !== held.length) return response.writeHead(416, rangeOf(held)).end();
  const bytes = Buffer.concat([held, await buffer(request)]);
  state.uploads.set(id, bytes);
  if (request.method === 'PATCH') return response.writeHead(202, rangeOf(bytes)).end();
  const digest = new URL(request.url ?? '', 'http://registry').searchParams.get('digest');
  if (digest !== digestOf(bytes)) return fail(response, 400, 'DIGEST_INVALID');
  state.blobs.set(`${repository}@${digest}`, bytes);
  response.writeHead(201).end();
};

/** Takes so many bytes into the upload, as a registry does whose client is cut off, and cuts. */
const cut = async (state: State, request: IncomingMessage, id: string | undefined, bytes: number): Promise<void> => {
  // Why now: a request that is left in its middle no longer knows its socket.
  const { socket } = request;
  const parts: Buffer[] = [];
  let got = 0;
  if (bytes > 0) {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, bytes - got);
      parts.push(part);
      got += part.length;
      if (got >= bytes) break;
    }
  }
  const held = id === undefined ? undefined : state.uploads.get(id);
  if (id !== undefined && held !== undefined && request.method === 'PATCH')
    state.uploads.set(id, Buffer.concat([held, ...parts]));
  socket.destroy();
};

const refuse = (state: State, response: ServerResponse, login: RegistryOptions['login'], repository: string): void => {
  const token = `Bearer realm="http://${state.name}/token",service="test",scope="repository:${repository}:pull"`;
  response.setHeader('www-authenticate', login === 'token' ? token : 'Basic realm="test"');
  fail(response, 401, 'UNAUTHORIZED');
};

export const startRegistry = async (t: Cleanup, options: RegistryOptions = {}): Promise<TestRegistry> => {
  const asked: Asked[] = [];
  const state: State = {
    name: '',
    asked,
    calls: () => asked.map((each) => `${each.method} ${each.path.split('?', 1)[0]}`),
    blobs: new Map(),
    manifests: new Map(),
    scopes: [],
    uploads: new Map(),
    tokens: new Map(),
  };
  const { port } = await listen(t, async (request, response) => {
    const path = request.url ?? '';
    const url = new URL(path, 'http://registry');
    const one = { method: request.method ?? '', path, headers: request.headers };
    asked.push(one);
    if (url.pathname === '/token') return giveToken(registry, request, response);
    const match = /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)\/([^/]*)$/.exec(url.pathname);
    const [, repository = '', kind, name = ''] = match ?? [];
    const fault = options.fault?.(one);
    if (fault !== undefined && 'cutAfter' in fault) return cut(registry, request, name, fault.cutAfter);
    if (fault !== undefined) {
      await buffer(request);
      return response.writeHead(fault.status, fault.headers ?? {}).end('<html>a proxy</html>');
    }
    if (!mayPass(registry, request, repository, options.login)) return refuse(registry, response, options.login, repository);
    if (kind === 'manifests') return takeManifest(registry, request, response, repository, name);
    if (kind === 'blobs/uploads' && request.method === 'POST') return startUpload(registry, url, response, repository);
    if (kind === 'blobs/uploads') return continueUpload(registry, request, response, repository, name);
    const blob = registry.blobs.get(`${repository}@${name}`);
    if (blob === undefined) return fail(response, 404, 'BLOB_UNKNOWN');
    return response.writeHead(200, { 'content-length': blob.length }).end(request.method === 'HEAD' ? undefined : blob);
  });
  const registry: State = { ...state, name: `127.0.0.1:${port}` };
  return registry;
};
