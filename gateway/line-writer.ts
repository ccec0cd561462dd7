// Lines for a file descriptor that may be slow, full or closed. They are written in their order without waiting; those that
// find no room, or cannot be written, are left out. Whoever writes never waits and never fails.
import { closeSync, constants, fstatSync, openSync, write, writeSync } from 'node:fs';

export type LineWriterParts = {
  readonly fd: number;
  /** Characters kept for a slow reader; 4 Mi unless told. */
  readonly maxKept?: number;
  /** Told how many lines were left out, once lines are written again. */
  readonly onLost: (lines: number) => void;
};

export interface LineWriter {
  /** @param line with its line feed */
  write(line: string): void;
  /** Resolves when all is written, or cannot be within a second. Nothing is written after that. */
  close(): Promise<void>;
}

/** Lines are written together up to this many characters: encoding more would hold up the event loop. */
const pieceLength = 64 * 1024;
const fullAgainMs = 50;
const lastWordsMs = 1000;

/**
 * The same pipe or terminal opened once more, for ourselves: one that is full then says so, where a write to the shared one
 * would hold a thread until somebody reads. `undefined` for all else, files among them, and where that cannot be done.
 */
const openUnblocked = (fd: number): number | undefined => {
  try {
    const about = fstatSync(fd);
    if (!about.isFIFO() && !about.isCharacterDevice()) return undefined;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
};

const linesIn = (bytes: Uint8Array): number => {
  let lines = 0;
  for (const byte of bytes) if (byte === 10) lines += 1;
  return lines;
};

class Writer implements LineWriter {
  readonly #parts: LineWriterParts;
  readonly #own: number | undefined;
  readonly #fd: number;
  readonly #maxKept: number;
  #pieces: string[] = [];
  /** Characters of the pieces and of what is being written. */
  #kept = 0;
  #isWriting = false;
  #lost = 0;
  /** The last line got only a part of its bytes out. */
  #isTorn = false;
  #closed = false;
  #whenIdle: (() => void) | undefined;
  readonly #lastWords = (): void => this.#writeRest();

  constructor(parts: LineWriterParts) {
    this.#parts = parts;
    this.#own = openUnblocked(parts.fd);
    this.#fd = this.#own ?? parts.fd;
    this.#maxKept = parts.maxKept ?? 4 * 1024 * 1024;
    process.once('exit', this.#lastWords);
  }

  write(line: string): void {
    if (this.#closed) return;
    if (this.#kept + line.length > this.#maxKept) {
      this.#lost += 1;
      return;
    }
    this.#kept += line.length;
    const last = this.#pieces.length - 1;
    if (last >= 0 && (this.#pieces[last] as string).length < pieceLength) this.#pieces[last] += line;
    else this.#pieces.push(line);
    if (!this.#isWriting) this.#next();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#isWriting) await this.#idle();
    process.off('exit', this.#lastWords);
    this.#pieces = [];
    // A write under way keeps its descriptor.
    if (this.#own !== undefined && !this.#isWriting) closeSync(this.#own);
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, lastWordsMs);
      this.#whenIdle = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }

  #next(): void {
    const text = this.#pieces.shift();
    this.#isWriting = text !== undefined;
    if (text === undefined) {
      this.#whenIdle?.();
      return;
    }
    this.#put(Buffer.from(this.#isTorn ? `\n${text}` : text), text.length, false);
  }

  /** @param isRest the bytes before these are written */
  #put(bytes: Uint8Array, length: number, isRest: boolean): void {
    write(this.#fd, bytes, (error, count) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.#put(bytes, length, isRest), fullAgainMs).unref();
        return;
      }
      if (error === null && count < bytes.length) {
        this.#put(bytes.subarray(count), length, true);
        return;
      }
      this.#kept -= length;
      if (error === null) this.#wrote();
      else {
        this.#isTorn ||= isRest;
        this.#lost += linesIn(bytes);
      }
      this.#next();
    });
  }

  #wrote(): void {
    this.#isTorn = false;
    const lines = this.#lost;
    this.#lost = 0;
    if (lines > 0) this.#parts.onLost(lines);
  }

  /** The process ends unasked: what is left says why. */
  #writeRest(): void {
    try {
      for (const text of this.#pieces) writeSync(this.#fd, text);
    } catch {
      // There is nobody left to tell.
    }
  }
}

export const createLineWriter = (parts: LineWriterParts): LineWriter => new Writer(parts);
