// A request's body stream as undici wants it. undici destroys what it is given, and with it the caller's connection before
// the answer is out; this stands between: the source is paused, resumed and read, never destroyed.
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';

/** Is told how a body that is streamed comes along. */
export interface BodyProgress {
  passed(bytes: number): void;
  complete(): void;
}

export class RequestBody extends EventEmitter {
  readonly #source: Readable;
  readonly #progress: BodyProgress | undefined;
  #attached = false;
  destroyed = false;
  /** Tells undici that nothing needs to be destroyed at the end. */
  readonly _readableState = { autoDestroy: true };

  constructor(source: Readable, progress?: BodyProgress) {
    super();
    this.#source = source;
    this.#progress = progress;
  }

  /** undici takes for a stream what has `pipe` and `on`; it never calls it. */
  pipe(): never {
    throw new TypeError('a request body cannot be piped');
  }

  resume(): void {
    if (this.destroyed) return;
    if (!this.#attached) {
      this.#attached = true;
      this.#source.on('data', this.#onData);
      this.#source.once('end', this.#onEnd);
      this.#source.once('error', this.#onError);
    }
    this.#source.resume();
  }

  pause(): void {
    this.#source.pause();
  }

  /** Ends the reading; what is left of the source is the sink's to discard. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#source.pause();
    this.#source.off('data', this.#onData);
    this.#source.off('end', this.#onEnd);
    this.#source.off('error', this.#onError);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#progress?.passed(chunk.length);
    this.emit('data', chunk);
  };

  readonly #onEnd = (): void => {
    this.#progress?.complete();
    this.emit('end');
  };

  readonly #onError = (error: Error): void => {
    this.emit('error', error);
  };
}
