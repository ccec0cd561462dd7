// Reads the answers on one connection as their bytes come, in pieces of any size. What is no HTTP/1.1 is an error at once.
import { parseTrailers } from './fields.ts';
import { parseResponseHead, type ResponseHead } from './response-head.ts';
import { Section } from './section.ts';

/** Gets one answer: informational heads, the head, its body, the end. */
export interface ResponseListener {
  informational(status: number, headers: string[]): void;
  head(status: number, reason: string, headers: string[]): void;
  /** The bytes are the listener's. */
  data(chunk: Buffer): void;
  /** The last; @param head of the answer; @param isClean nothing came behind it */
  ended(trailers: string[] | undefined, head: ResponseHead, isClean: boolean): void;
}

type State =
  | 'idle'
  | 'head'
  | 'length'
  | 'close'
  | 'size'
  | 'extension'
  | 'size-end'
  | 'chunk'
  | 'chunk-cr'
  | 'chunk-lf'
  | 'trailers';

/** Longest head, as the gateway takes from its clients, and longest part of a chunk's line besides its size. */
const maxHeadBytes = 1024 * 1024;
const maxExtensionBytes = 16 * 1024;
const maxChunkBytes = 2 ** 48;

const digitOf = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
};

export class ResponseReader {
  #state: State = 'idle';
  #listener: ResponseListener | undefined;
  #isHead = false;
  #head: ResponseHead | undefined;
  readonly #section = new Section(maxHeadBytes);
  /** Bytes that are still to come of a body or a chunk; of a line so far, its size. */
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;

  /** An answer is expected from now on. @param isHead to HEAD: it has no body */
  begin(listener: ResponseListener, isHead: boolean): void {
    this.#listener = listener;
    this.#isHead = isHead;
    this.#expectHead();
  }

  /** The listener hears nothing more. */
  stop(): void {
    this.#listener = undefined;
    this.#state = 'idle';
  }

  /**
   * Takes the first `length` of `bytes`, which may be used for something else afterwards.
   * @throws Error saying what is wrong with the answer, or that there is none to be given
   */
  read(bytes: Buffer, length: number): void {
    let at = 0;
    // The listener may stop the reader, or begin with another answer; what is left of these bytes is of neither.
    const listener = this.#listener;
    while (at < length && this.#listener === listener && listener !== undefined) at = this.#step(listener, bytes, at, length);
    if (listener === undefined) throw new Error('it sent bytes that nobody had asked for');
  }

  /** The connection has ended. True when the answer has, too. */
  end(): boolean {
    if (this.#state !== 'close') return false;
    this.#finish(undefined, true);
    return true;
  }

  #step(listener: ResponseListener, bytes: Buffer, at: number, length: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(listener, bytes, at, length);
      case 'length':
      case 'close':
      case 'chunk':
        return this.#readBody(listener, bytes, at, length);
      case 'trailers':
        return this.#readTrailers(bytes, at, length);
      default:
        return this.#readChunkLine(bytes[at] as number, at + 1);
    }
  }

  #readHead(listener: ResponseListener, bytes: Buffer, from: number, length: number): number {
    const at = this.#section.take(bytes, from, length);
    const { text } = this.#section;
    if (text === undefined) {
      if (!this.#section.mayBegin('HTTP/1.')) throw new Error('it did not answer in HTTP/1.1');
      return at;
    }
    const head = parseResponseHead(text, this.#section.end, this.#isHead);
    if (head.status < 200) {
      this.#expectHead();
      // For some readers nothing follows such a head.
      if (!head.keepAlive) throw new Error('it closed the connection with an informational answer');
      // A `100 Continue` answers nothing: nobody was asked.
      if (head.status !== 100) listener.informational(head.status, head.headers);
      return at;
    }
    this.#head = head;
    const { framing } = head;
    if (typeof framing === 'number') {
      this.#state = 'length';
      this.#left = framing;
    } else if (framing === 'chunked') this.#expectChunk();
    else if (framing === 'close') {
      this.#state = 'close';
      this.#left = Number.POSITIVE_INFINITY;
    }
    listener.head(head.status, head.reason, head.headers);
    if ((framing === 'none' || framing === 0) && this.#listener === listener) this.#finish(undefined, at === length);
    return at;
  }

  #expectHead(): void {
    this.#state = 'head';
    this.#section.begin();
  }

  #readBody(listener: ResponseListener, bytes: Buffer, at: number, length: number): number {
    const count = Math.min(this.#left, length - at);
    const chunk = Buffer.allocUnsafe(count);
    bytes.copy(chunk, 0, at, at + count);
    this.#left -= count;
    listener.data(chunk);
    if (this.#left === 0 && this.#listener === listener) {
      if (this.#state === 'chunk') this.#state = 'chunk-cr';
      else this.#finish(undefined, at + count === length);
    }
    return at + count;
  }

  #expectChunk(): void {
    this.#state = 'size';
    this.#left = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
  }

  /** What stands between chunks, byte by byte. */
  #readChunkLine(code: number, next: number): number {
    if (this.#state === 'size') {
      const digit = digitOf(code);
      if (digit >= 0) {
        this.#left = this.#left * 16 + digit;
        this.#digits += 1;
        if (this.#left > maxChunkBytes || this.#digits > 16) throw new Error('a chunk of its answer has too large a size');
      } else if (this.#digits > 0 && code === 13) this.#state = 'size-end';
      else if (this.#digits > 0 && code === 59) this.#state = 'extension';
      else throw new Error('a chunk of its answer has no size');
    } else if (this.#state === 'extension') {
      this.#extensionBytes += 1;
      if (code === 13) this.#state = 'size-end';
      else if ((code < 32 && code !== 9) || code === 127 || this.#extensionBytes > maxExtensionBytes) {
        throw new Error('a chunk of its answer has an extension that is none');
      }
    } else if (this.#state === 'chunk-cr' && code === 13) this.#state = 'chunk-lf';
    else if (this.#state === 'chunk-lf' && code === 10) this.#expectChunk();
    else if (this.#state === 'size-end' && code === 10) {
      if (this.#left > 0) this.#state = 'chunk';
      else {
        this.#state = 'trailers';
        // The line before them has just ended: an empty one may be all there is.
        this.#section.begin('\r\n');
      }
    } else throw new Error('a chunk of its answer does not end where it should');
    return next;
  }

  #readTrailers(bytes: Buffer, from: number, length: number): number {
    const at = this.#section.take(bytes, from, length);
    const { text, end } = this.#section;
    if (text !== undefined) this.#finish(end === 4 ? undefined : parseTrailers(text, 2, end), at === length);
    return at;
  }

  #finish(trailers: string[] | undefined, isClean: boolean): void {
    const listener = this.#listener as ResponseListener;
    const head = this.#head as ResponseHead;
    this.stop();
    listener.ended(trailers, head, isClean);
  }
}
