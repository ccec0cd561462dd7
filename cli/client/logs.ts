// GET /system/logs: a stream of JSON objects, one a line.
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { FaasError } from '../../provider/types/errors.ts';
import type { LogMessage } from '../../provider/types/logs.ts';
import { type Client, errorCodeOf, failureOf } from './client.ts';
import { namespaceHint } from './namespace-hint.ts';

export type LogRequest = {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly follow: boolean;
  /** RFC 3339 */
  readonly since?: string | undefined;
  /** -1 means all; 0 leaves it to the gateway. */
  readonly tail: number;
};

const isMessage = (value: unknown): value is LogMessage =>
  typeof value === 'object' && value !== null && typeof (value as { text?: unknown }).text === 'string';

const parseLine = (line: string): LogMessage => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Told below.
  }
  if (!isMessage(value))
    throw new FaasError('upstream', `logs: expected a JSON message, got ${JSON.stringify(line.slice(0, 120))}`);
  return value;
};

async function* messagesOf(response: IncomingMessage): AsyncIterable<LogMessage> {
  const cut = new Promise<never>((_, reject) => response.once('error', reject));
  cut.catch(() => undefined);
  for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() !== '') yield parseLine(line);
  }
  // Why: readline ends in peace when its input breaks.
  if (!response.complete)
    await Promise.race([cut, Promise.reject(new FaasError('upstream', 'logs: the gateway ended the stream early'))]);
}

/** @throws what the gateway says against it; upstream when the stream breaks or holds something else */
export const openLogs = async (client: Client, request: LogRequest): Promise<AsyncIterable<LogMessage>> => {
  const { name, namespace, since } = request;
  const tail = request.tail === 0 ? undefined : String(request.tail);
  const query = { name, namespace, since, tail, follow: String(request.follow) };
  const response = await client.open('GET', '/system/logs', { query, timeoutMs: 0 });
  if (response.statusCode === 200) return messagesOf(response);
  const reply = { status: response.statusCode ?? 0, errorCode: errorCodeOf(response), body: await text(response) };
  const error = failureOf(client, reply, `logs of ${name}`);
  const hint = reply.status === 404 ? namespaceHint(name) : '';
  throw hint === '' ? error : new FaasError(error.code, `${error.message}${hint}`, { cause: error });
};
