// Finds what a handler module exports for upgraded connections (WebSocket).
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

const propertyOf = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function' ? Reflect.get(value, name) : undefined;

/** `upgrade` of the module, or of its default export, on which it is called. */
export const pickUpgrade = (exported: unknown): UpgradeHandler | undefined => {
  const inner = propertyOf(exported, 'default');
  // The last is a CommonJS module compiled from ESM, imported.
  for (const owner of [exported, inner, propertyOf(inner, 'default')]) {
    const upgrade = propertyOf(owner, 'upgrade');
    if (typeof upgrade === 'function') return upgrade.bind(owner) as UpgradeHandler;
  }
  return undefined;
};
