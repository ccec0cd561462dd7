// Requests of the control API of which one knows at any moment how far they have come.
import { Agent, request } from 'node:http';
import type { RunningGateway } from '../../helpers/gateway.ts';

export type Stage = 'begun' | 'sent' | 'answered' | 'lost';

export type Order = {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Sends the first half of the body and no more until this resolves. */
  readonly halfway?: () => Promise<void>;
};

export type Wire = {
  /** Resolves with the status, or with nothing when the gateway died before it answered. @throws on any other than a 2xx */
  send(order: Order): Promise<number | undefined>;
  /** Orders of those kinds, or of all, that were sent in full and are not answered. */
  inside(kinds?: readonly string[]): Sending[];
  /** Those that are not answered, however much of them was sent. */
  open(kinds: readonly string[]): Sending[];
  /** Called when the last byte of an order has left. */
  onSent: (kind: string) => void;
  close(): void;
};

export type Sending = { readonly kind: string; readonly path: string; stage: Stage };

const toBytes = (body: unknown): Buffer =>
  body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));

export const createWire = (gateway: RunningGateway): Wire => {
  const agent = new Agent({ keepAlive: true });
  const open = new Set<Sending>();
  const authorization = `Basic ${Buffer.from(`${gateway.user}:${gateway.password}`).toString('base64')}`;

  const send = async (order: Order): Promise<number | undefined> => {
    const sending: Sending = { kind: order.kind, path: order.path, stage: 'begun' };
    const bytes = toBytes(order.body);
    const { promise, resolve } = Promise.withResolvers<{ status: number; text: string } | undefined>();
    open.add(sending);
    const outgoing = request({
      host: '127.0.0.1',
      port: gateway.port,
      method: order.method,
      path: order.path,
      agent,
      headers: { Authorization: authorization, 'Content-Type': 'application/json', 'Content-Length': bytes.length },
    });
    const lost = (): void => {
      if (sending.stage !== 'answered') sending.stage = 'lost';
      open.delete(sending);
      resolve(undefined);
    };
    outgoing.on('error', lost);
    outgoing.on('response', (incoming) => {
      sending.stage = 'answered';
      open.delete(sending);
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      // Its head says it all: what the end of a body adds is not needed.
      incoming.on('close', () => resolve({ status: incoming.statusCode ?? 0, text }));
      incoming.on('error', () => undefined);
    });
    outgoing.on('finish', () => {
      if (sending.stage !== 'begun') return;
      sending.stage = 'sent';
      wire.onSent(order.kind);
    });
    if (order.halfway !== undefined) {
      const middle = bytes.length >> 1;
      await new Promise<void>((written) => outgoing.write(bytes.subarray(0, middle), () => written()));
      await order.halfway();
      outgoing.end(bytes.subarray(middle));
    } else outgoing.end(bytes);
    const answer = await promise;
    if (answer !== undefined && (answer.status < 200 || answer.status > 299)) {
      throw new Error(`${order.method} ${order.path}: status ${answer.status}: ${answer.text}`);
    }
    return answer?.status;
  };

  const wire: Wire = {
    send,
    inside: (kinds) => [...open].filter(({ kind, stage }) => stage === 'sent' && (kinds?.includes(kind) ?? true)),
    open: (kinds) => [...open].filter(({ kind }) => kinds.includes(kind)),
    onSent: () => undefined,
    close: () => agent.destroy(),
  };
  return wire;
};
