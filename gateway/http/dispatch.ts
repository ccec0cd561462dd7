// The way of every control request: who is it, what does it ask for, may it, do it, answer, write down.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaasError, toFaasError } from '../../provider/types/errors.ts';
import type { Authorize } from './authorize.ts';
import { type Authenticate, challenge } from './basic-auth.ts';
import { sendError, toErrorResponse } from './error-response.ts';
import { readJson } from './json-body.ts';
import { namespaceOf } from './namespace-of.ts';
import type { ControlRequest, Method, Route } from './route.ts';
import { drainBriefly } from './unread-body.ts';

export type DispatchParts = {
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly defaultNamespace: string;
  /** Longest silence of a client that sends a body. */
  readonly readTimeoutMs: number;
};

/** Characters of a function's or namespace's name in a path; anything else is no route. OpenFaaS contract, 1.0. */
const pathName = /^[-A-Za-z0-9_.]+$/;

export const pageNotFound = (): FaasError => new FaasError('not-found', '404 page not found');

/** OpenFaaS contract, fact 6: the body is exactly this, without a line feed. */
const refuse = (req: IncomingMessage, res: ServerResponse): void => {
  const { status, headers, body } = toErrorResponse(new FaasError('unauthorized', 'invalid credentials'), req.headers.accept);
  const text = body.trim();
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text), 'WWW-Authenticate': challenge });
  res.end(req.method === 'HEAD' ? undefined : text);
};

/**
 * A browser adds the credentials it remembers to what other sites make it send, and names such requests; programs do not.
 * @throws forbidden for a change that another site asks for
 */
const refuseOtherSites = (req: IncomingMessage): void => {
  const site = req.headers['sec-fetch-site'];
  if (req.method === 'GET' || req.method === 'HEAD') return;
  if (site === 'cross-site' || site === 'same-site') {
    throw new FaasError('forbidden', `a page of another site may not change anything here (Sec-Fetch-Site: ${site})`);
  }
};

const toControlRequest = async (
  parts: DispatchParts,
  route: Route,
  name: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<ControlRequest & { readonly resourceNamespace: string | undefined }> => {
  const mark = req.url?.indexOf('?') ?? -1;
  const query = new URLSearchParams(mark === -1 ? '' : req.url?.slice(mark + 1));
  const body = route.body === 'json' ? await readJson(req, parts.readTimeoutMs, route.maxBytes) : undefined;
  const namespace = namespaceOf(route.namespace, { name, query, body }, parts.defaultNamespace);
  return { req, res, query, name, body, namespace: namespace ?? parts.defaultNamespace, resourceNamespace: namespace };
};

const serve = async (
  parts: DispatchParts,
  route: Route,
  name: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> => {
  const principal = route.action === 'public' ? undefined : parts.authenticate(req.headers.authorization);
  if (route.action !== 'public' && principal === undefined) return refuse(req, res);
  refuseOtherSites(req);
  if (route.path.includes(':name') && !pathName.test(name)) throw pageNotFound();
  const request = await toControlRequest(parts, route, name, req, res);
  if (route.action !== 'public' && principal !== undefined) {
    parts.authorize(principal, route.action, { namespace: request.resourceNamespace, name: name || undefined });
  }
  await route.run(request);
};

const allowed = (routes: ReadonlyMap<string, Route>, method: string | undefined): FaasError =>
  new FaasError('method-not-allowed', `method: expected ${[...routes.keys()].join(' or ')}, got ${method}`);

/** Serves one path with all its methods; never throws or rejects. @param name the variable part of the path */
export const dispatch = async (
  parts: DispatchParts,
  routes: ReadonlyMap<Method, Route>,
  name: string,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<unknown> => {
  try {
    const route = routes.get((req.method ?? '') as Method);
    if (route === undefined) sendError(req, res, allowed(routes, req.method), { Allow: [...routes.keys()].join(', ') });
    else await serve(parts, route, name, req, res);
    return undefined;
  } catch (error) {
    sendError(req, res, toFaasError(error));
    return error;
  } finally {
    drainBriefly(req);
  }
};
