// Loads a handler module, CommonJS or ESM, and finds the handler in what it exports.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HandlerStyle } from '../config.ts';
import { describeThrown, StartError } from '../start-error.ts';
import type { WebRequest } from '../web/request.ts';
import { pickUpgrade, type UpgradeHandler } from './upgrade-export.ts';

export type EventHandler = (event: unknown, context: unknown, callback: (error?: unknown, value?: unknown) => void) => unknown;
export type WebHandler = (request: WebRequest) => unknown;

export type Handler =
  | { readonly style: 'event'; readonly handle: EventHandler; readonly wantsCallback: boolean }
  | { readonly style: 'web'; readonly handle: WebHandler };

/** What a handler module has for us. */
export type Loaded = { readonly handler: Handler; readonly upgrade: UpgradeHandler | undefined };

type AnyFunction = (...values: never[]) => unknown;
type Exports = Readonly<Record<string, unknown>>;

const isFunction = (value: unknown): value is AnyFunction => typeof value === 'function';
const isObject = (value: unknown): value is Exports => (typeof value === 'object' && value !== null) || isFunction(value);

/** `fetch` of an object is called on the object, as its author expects. */
const fetchOf = (value: unknown): AnyFunction | undefined =>
  isObject(value) && !isFunction(value) && isFunction(value.fetch) ? (value.fetch.bind(value) as AnyFunction) : undefined;

const plainHandler = (exported: unknown): AnyFunction | undefined => {
  if (isFunction(exported)) return exported;
  if (!isObject(exported)) return undefined;
  for (const name of ['default', 'handle', 'handler']) {
    const value = exported[name];
    if (isFunction(value)) return value;
    // A CommonJS module compiled from ESM, imported: its default export is one level deeper.
    if (name === 'default' && isObject(value) && isFunction(value.default)) return value.default;
  }
  const inner = exported.default;
  return isObject(inner) ? ['handle', 'handler'].map((name) => inner[name]).find(isFunction) : undefined;
};

/** @throws StartError (`LoadFailed`) when nothing that is exported can be the handler */
export const pickHandler = (exported: unknown, style: HandlerStyle): Handler => {
  const plain = plainHandler(exported);
  if (plain !== undefined) {
    const isWeb = style === 'web' || (style === 'auto' && plain.length === 1);
    if (isWeb) return { style: 'web', handle: plain as WebHandler };
    return { style: 'event', handle: plain as EventHandler, wantsCallback: plain.length >= 3 };
  }
  const fetch = isObject(exported) ? (fetchOf(exported.default) ?? fetchOf(exported)) : undefined;
  if (fetch !== undefined) return { style: 'web', handle: fetch as WebHandler };
  const names = isObject(exported) ? Object.keys(exported).join(', ') || 'nothing' : typeof exported;
  throw new StartError(
    'LoadFailed',
    `handler: expected a function as module.exports, default export, handle or handler, or an object with fetch; got ${names}`,
  );
};

const isAsyncModule = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'ERR_REQUIRE_ASYNC_MODULE';

const loadModule = async (file: string): Promise<unknown> => {
  try {
    return createRequire(file)(file);
  } catch (error) {
    if (!isAsyncModule(error)) throw error;
    return import(pathToFileURL(file).href);
  }
};

/** @throws StartError (`LoadFailed`) with the stack of what went wrong */
export const loadHandler = async (root: string, path: string, style: HandlerStyle): Promise<Loaded> => {
  const file = resolve(root, path);
  let exported: unknown;
  try {
    exported = await loadModule(file);
  } catch (error) {
    throw new StartError('LoadFailed', `handler ${path}: ${describeThrown(error)}`, { cause: error });
  }
  return { handler: pickHandler(exported, style), upgrade: pickUpgrade(exported) };
};
