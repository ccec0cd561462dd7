// A request's body on its way from a caller to a function: as it comes, no faster than the function takes it. The source is
// paused, resumed and read, never destroyed: with it would go the caller's connection, before the answer is out.
import type { Readable } from 'node:stream';
import type { Connection } from './connection.ts';
import { trailerLines } from './request-trailers.ts';

/** Is told how a body that is streamed comes along. */
export interface BodyProgress {
  passed(bytes: number): void;
  complete(): void;
}

export class RequestBody {
  /** All of it has been written. */
  sent = false;
  /** The request's, to go out with the first bytes of the body; or alone if none come with it. */
  #head: string;
  #alone: NodeJS.Immediate | undefined;
  readonly #source: Readable;
  readonly #connection: Connection;
  /** `undefined` for chunks. */
  readonly #length: number | undefined;
  readonly #progress: BodyProgress | undefined;
  readonly #onBroken: (error: Error) => void;
  #bytes = 0;
  #stopped = false;
  #begun = false;

  /** @param onBroken the body will not come to its end */
  constructor(
    head: string,
    source: Readable,
    connection: Connection,
    length: number | undefined,
    progress: BodyProgress | undefined,
    onBroken: (error: Error) => void,
  ) {
    this.#head = head;
    this.#source = source;
    this.#connection = connection;
    this.#length = length;
    this.#progress = progress;
    this.#onBroken = onBroken;
  }

  begin(): void {
    if (this.#stopped) return;
    this.#begun = true;
    // Why not at once: a body that is wrong from its beginning is refused, its function sees nothing of it, and that is known
    // here when the turn is over in which its connection was cut.
    this.#alone = setImmediate(() => {
      this.#alone = setImmediate(() => this.#connection.write(this.#takeHead()));
    });
    this.#source.on('data', this.#onData);
    this.#source.once('end', this.#onEnd);
    this.#source.once('error', this.#onError);
    this.#source.once('close', this.#onClose);
    this.#source.resume();
  }

  /** The connection takes more. */
  resume(): void {
    if (this.#begun && !this.#stopped) this.#source.resume();
  }

  /** Ends the reading; what is left of the source is the sink's to discard. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    if (!this.#begun) return;
    this.#source.pause();
    this.#release();
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    clearImmediate(this.#alone);
    return head;
  }

  #release(): void {
    clearImmediate(this.#alone);
    this.#source.off('data', this.#onData);
    this.#source.off('end', this.#onEnd);
    this.#source.off('error', this.#onError);
    this.#source.off('close', this.#onClose);
  }

  readonly #onData = (chunk: Uint8Array): void => {
    // A chunk of nothing would be the last.
    if (chunk.length === 0) return;
    const isFirst = this.#bytes === 0;
    this.#bytes += chunk.length;
    this.#progress?.passed(chunk.length);
    if (this.#length !== undefined && this.#bytes > this.#length) {
      this.#break(new Error(`the request has more than the ${this.#length} bytes it announced`));
      return;
    }
    let before = this.#takeHead();
    if (this.#length === undefined) before += `${isFirst ? '' : '\r\n'}${chunk.length.toString(16)}\r\n`;
    const goOn = before === '' ? this.#connection.writeBytes(chunk) : this.#connection.writeBoth(before, chunk);
    if (!goOn) this.#source.pause();
  };

  readonly #onEnd = (): void => {
    if (this.#length !== undefined && this.#bytes < this.#length) {
      this.#break(new Error(`the request has ${this.#bytes} of the ${this.#length} bytes it announced`));
      return;
    }
    this.#progress?.complete();
    this.#stopped = true;
    this.#release();
    let rest = this.#takeHead();
    if (this.#length === undefined) rest += `${this.#bytes === 0 ? '' : '\r\n'}0\r\n${trailerLines(this.#source)}\r\n`;
    if (rest !== '') this.#connection.write(rest);
    this.sent = true;
  };

  readonly #onError = (error: Error): void => this.#break(error);

  readonly #onClose = (): void => this.#break(new Error('the request broke off'));

  #break(error: Error): void {
    this.stop();
    this.#onBroken(error);
  }
}
