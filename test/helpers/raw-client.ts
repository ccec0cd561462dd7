// An HTTP client that sends what it is told, byte for byte, and reads answers by its own strict rules.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type Pair = readonly [name: string, value: string];

export type RawAnswer = {
  readonly informational: readonly { readonly status: number; readonly headers: readonly Pair[] }[];
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Pair[];
  /** Decoded, one character a byte. */
  readonly body: string;
  readonly trailers: readonly Pair[];
};

export const headerOf = (answer: Pick<RawAnswer, 'headers'>, name: string): string | undefined =>
  answer.headers.find(([each]) => each.toLowerCase() === name)?.[1];

const statusLine = /^HTTP\/1\.1 (\d{3}) (.*)$/s;

const parsePairs = (lines: readonly string[]): Pair[] =>
  lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a header: ${JSON.stringify(line)}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });

type Body = { readonly body: string; readonly trailers: readonly Pair[]; readonly next: number };

/** `undefined` while it is not all there. */
const readChunked = (text: string, start: number): Body | undefined => {
  let at = start;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const line = text.slice(at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) {
      if (text.startsWith('\r\n', at)) return { body, trailers: [], next: at + 2 };
      const end = text.indexOf('\r\n\r\n', at);
      if (end === -1) return undefined;
      return { body, trailers: parsePairs(text.slice(at, end).split('\r\n')), next: end + 4 };
    }
    if (text.length < at + size + 2) return undefined;
    if (!text.startsWith('\r\n', at + size)) throw new Error('a chunk does not end where its size says');
    body += text.slice(at, at + size);
    at += size + 2;
  }
};

const readBody = (text: string, start: number, headers: readonly Pair[], ended: boolean): Body | undefined => {
  const coding = headerOf({ headers }, 'transfer-encoding');
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new Error(`Transfer-Encoding: ${coding}`);
    return readChunked(text, start);
  }
  const length = headerOf({ headers }, 'content-length');
  if (length === undefined) return ended ? { body: text.slice(start), trailers: [], next: text.length } : undefined;
  const end = start + Number(length);
  return text.length < end ? undefined : { body: text.slice(start, end), trailers: [], next: end };
};

/** Reads answers off the front of a text. @param ended whether the text is all there will ever be */
const readAnswer = (text: string, start: number, method: string, ended: boolean): [RawAnswer, number] | undefined => {
  const informational: { status: number; headers: Pair[] }[] = [];
  let at = start;
  for (;;) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) return undefined;
    const [first = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const match = statusLine.exec(first);
    if (match === null) throw new Error(`not a status line: ${JSON.stringify(first)}`);
    const status = Number(match[1]);
    const headers = parsePairs(lines);
    at = headEnd + 4;
    if (status < 200 && status !== 101) {
      informational.push({ status, headers });
      continue;
    }
    const head = { informational, status, reason: match[2] as string, headers };
    if (method === 'HEAD' || status === 101 || status === 204 || status === 304) {
      return [{ ...head, body: '', trailers: [] }, at];
    }
    const rest = readBody(text, at, headers, ended);
    return rest === undefined ? undefined : [{ ...head, body: rest.body, trailers: rest.trailers }, rest.next];
  }
};

export class RawClient {
  readonly socket: Socket;
  /** Everything that has come, one character a byte. */
  received = '';
  /** The other side has ended or cut the connection. */
  ended = false;
  #at = 0;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.#tell();
    });
    const end = (): void => {
      this.ended = true;
      this.#tell();
    };
    socket.on('error', end);
    socket.on('end', end);
    socket.on('close', end);
  }

  send(bytes: string): void {
    if (!this.socket.destroyed) this.socket.write(bytes, 'latin1');
  }

  /** Ends the sending side only. */
  halfClose(): void {
    this.socket.end();
  }

  /** Waits until `text` has come, or the end. @param from what came before this position does not count */
  async until(text: string, from = 0): Promise<void> {
    while (!this.received.includes(text, from) && !this.ended) await this.#changed.promise;
  }

  async end(): Promise<void> {
    while (!this.ended) await this.#changed.promise;
  }

  /** The next answer; `undefined` when the connection ends before it is complete. @param method what the answer is to */
  async answer(method: string): Promise<RawAnswer | undefined> {
    for (;;) {
      const { ended } = this;
      const found = readAnswer(this.received, this.#at, method, ended);
      if (found !== undefined) {
        this.#at = found[1];
        return found[0];
      }
      if (ended) return undefined;
      await this.#changed.promise;
    }
  }

  /** What has come and belongs to no answer that was read. */
  get rest(): string {
    return this.received.slice(this.#at);
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** On the machine itself. The other side's end leaves this side open. */
export const connectRaw = async (port: number): Promise<RawClient> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return new RawClient(socket);
};
