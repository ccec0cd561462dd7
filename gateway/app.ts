// The control API: every route of it on one screen, behind one guard. Listens on nothing and reads no environment, so
// that tests run the real one around a memory provider.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express from 'express';
import type { Provider } from '../provider/provider.ts';
import { FaasError } from '../provider/types/errors.ts';
import type { VersionInfo } from '../provider/types/info.ts';
import { handleAlert } from './api/alert.ts';
import { bundleHandlers } from './api/bundles.ts';
import { functionHandlers } from './api/functions.ts';
import { showHealth } from './api/health.ts';
import { showInfo } from './api/info.ts';
import { streamLogs } from './api/logs.ts';
import { namespaceHandlers } from './api/namespaces.ts';
import { showOpenApi } from './api/openapi.ts';
import { scaleFunction } from './api/scale-function.ts';
import { maxSecretBodyBytes, secretHandlers } from './api/secrets.ts';
import { uiHandlers } from './api/ui.ts';
import { type AccessLog, logFailure, type Observe, watchRequest } from './http/access-log.ts';
import type { Authorize } from './http/authorize.ts';
import type { Authenticate } from './http/basic-auth.ts';
import { dispatch, pageNotFound } from './http/dispatch.ts';
import { sendError } from './http/error-response.ts';
import { type Method, type NamespaceSource, type Route, routeLabel } from './http/route.ts';
import { drainBriefly } from './http/unread-body.ts';
import type { Timeouts } from './invoke/table.ts';

export type AppParts = {
  readonly provider: Provider;
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly version: VersionInfo;
  readonly defaultNamespace: string;
  readonly maxBundleBytes: number;
  /** Longest silence of a client that sends a body. */
  readonly readTimeoutMs: number;
  /** Finished calls of `name.namespace`. */
  readonly countOf: (key: string) => number;
  /** Calls of `name.namespace` that were cut at their time limit. */
  readonly timeoutsOf: (key: string) => Timeouts | undefined;
  readonly observe: Observe;
  /** Told of every order to change the replicas of `name.namespace`. */
  readonly scaled: (key: string, cause: 'api' | 'alert') => void;
  /** Aborted when the gateway begins to stop. */
  readonly stopping: AbortSignal;
  readonly log: AccessLog;
};

const route = (
  method: Method,
  path: string,
  action: Route['action'],
  namespace: NamespaceSource,
  run: Route['run'],
  body: Pick<Route, 'body' | 'maxBytes'> = {},
): Route => ({ method, path, action, namespace, run, ...body });

const json = { body: 'json' } as const;
const secretJson = { body: 'json', maxBytes: maxSecretBodyBytes } as const;

const missing = (): never => {
  throw pageNotFound();
};

const namespaceRoutes = (path: string, namespaces: ReturnType<typeof namespaceHandlers>): Route[] => [
  route('POST', path, 'Namespace:Create', 'body-name', namespaces.create, json),
  route('POST', `${path}:name`, 'Namespace:Create', 'path', namespaces.create, json),
  route('GET', `${path}:name`, 'Namespace:Get', 'path', namespaces.get),
  route('PUT', `${path}:name`, 'Namespace:Update', 'path', namespaces.update, json),
  route('DELETE', `${path}:name`, 'Namespace:Delete', 'path', namespaces.remove),
];

/** The route table: method, path, action, where the namespace is, handler, body. */
export const createRoutes = (parts: AppParts): readonly Route[] => {
  const { provider, stopping, version } = parts;
  const functions = functionHandlers(parts);
  const secrets = secretHandlers(provider);
  const namespaces = namespaceHandlers(provider);
  const bundles = bundleHandlers(provider, parts);
  const ui = uiHandlers(provider, parts.countOf);
  const openApi = showOpenApi(() => routes, version.release);
  const routes: readonly Route[] = [
    route('GET', '/system/functions', 'Function:List', 'query', functions.list),
    route('POST', '/system/functions', 'Function:Create', 'body', functions.deploy, json),
    route('PUT', '/system/functions', 'Function:Update', 'body', functions.update, json),
    route('DELETE', '/system/functions', 'Function:Delete', 'body', functions.remove, json),
    route('GET', '/system/function/:name', 'Function:Get', 'query', functions.describe),
    route('POST', '/system/scale-function/:name', 'Function:Scale', 'body', scaleFunction(parts), json),
    route('GET', '/system/secrets', 'Secret:List', 'query', secrets.list),
    route('POST', '/system/secrets', 'Secret:Create', 'body', secrets.create, secretJson),
    route('PUT', '/system/secrets', 'Secret:Update', 'body', secrets.update, secretJson),
    route('DELETE', '/system/secrets', 'Secret:Delete', 'body', secrets.remove, json),
    route('GET', '/system/logs', 'Function:Logs', 'query', streamLogs(provider, stopping)),
    route('GET', '/system/namespaces', 'Namespace:List', 'none', namespaces.list),
    ...namespaceRoutes('/system/namespace/', namespaces),
    ...namespaceRoutes('/system/namespaces/', namespaces),
    route('HEAD', '/system/bundles/:name', 'Function:Create', 'none', bundles.has),
    route('PUT', '/system/bundles/:name', 'Function:Create', 'none', bundles.put, { body: 'stream' }),
    route('POST', '/system/alert', 'System:Alert', 'none', handleAlert(parts), json),
    route('GET', '/system/info', 'System:Info', 'none', showInfo(provider, version)),
    route('GET', '/system/telemetry', 'System:Info', 'none', missing),
    route('GET', '/system/openapi.json', 'System:Info', 'none', openApi),
    route('GET', '/ui/', 'Function:List', 'query', ui.page),
    route('GET', '/ui/*rest', 'Function:List', 'none', ui.missing),
    route('GET', '/', 'public', 'none', ui.toPage),
    route('GET', '/healthz', 'public', 'none', showHealth(provider, stopping)),
  ];
  return routes;
};

const byPath = (routes: readonly Route[]): Map<string, Map<Method, Route>> => {
  const paths = new Map<string, Map<Method, Route>>();
  for (const route of routes) paths.set(route.path, (paths.get(route.path) ?? new Map()).set(route.method, route));
  return paths;
};

/** Requests that no route is for are counted and logged together. */
const refuse = (parts: AppParts, req: IncomingMessage, res: ServerResponse, error: FaasError): void => {
  watchRequest(parts, 'unmatched', req, res);
  sendError(req, res, error);
  drainBriefly(req);
};

export const createApp = (parts: AppParts): RequestListener => {
  const router = express();
  router.disable('x-powered-by').enable('strict routing').enable('case sensitive routing').disable('etag');
  for (const [path, routes] of byPath(createRoutes(parts))) {
    const label = routeLabel(path);
    router.all(path, async (req, res) => {
      watchRequest(parts, label, req, res);
      const name = req.params.name;
      const failure = await dispatch(parts, routes, typeof name === 'string' ? name : '', req, res);
      if (failure !== undefined) logFailure(parts.log, req, failure);
    });
  }
  router.use((req: IncomingMessage, res: ServerResponse) => refuse(parts, req, res, pageNotFound()));
  router.use((error: Error, req: IncomingMessage, res: ServerResponse, _next: express.NextFunction) =>
    refuse(parts, req, res, new FaasError('invalid', `path: expected a percent-encoded path, got ${error.message}`)),
  );
  return router;
};
