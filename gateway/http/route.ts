// What a route of the control API is, and what its handler gets: parsed, authenticated and authorised.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Action } from './authorize.ts';

export type Method = 'DELETE' | 'GET' | 'HEAD' | 'POST' | 'PUT';

export type ControlRequest = {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly query: URLSearchParams;
  /** The variable part of the path; empty when the route has none. */
  readonly name: string;
  /** Settled by the route's `namespace` rule; the handler takes no other. */
  readonly namespace: string;
  /** JSON value; `undefined` when there was none or the route streams it. */
  readonly body: unknown;
};

/**
 * Where the namespace of the resource comes from. `query`; `body` or query (both are in use, and they must not differ);
 * `path`, where the name in the path is a namespace; `body-name`, where the body's `name` is one; `none`.
 */
export type NamespaceSource = 'body' | 'body-name' | 'none' | 'path' | 'query';

export type Route = {
  readonly method: Method;
  /** As Express writes it; at most one variable part, `:name`. */
  readonly path: string;
  /** `public` routes are open to everybody who reaches the port. */
  readonly action: Action | 'public';
  readonly namespace: NamespaceSource;
  readonly body?: 'json' | 'stream';
  /** Limit of a JSON body, where it is not the usual one. */
  readonly maxBytes?: number;
  readonly run: (request: ControlRequest) => Promise<void> | void;
};

/** The path as it stands in metrics and the access log: without its variable part and the slash before it. */
export const routeLabel = (path: string): string => path.replace(/\/(:name|\*rest)?$/, '') || '/';
