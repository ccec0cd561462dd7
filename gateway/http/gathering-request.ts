// A request that is no stream unless it has to be: one without a body is at its end at once, and a small body is kept in one
// piece when it comes in one piece with its head. A stream queues, announces, reads and ends, each in a turn of its own.
import { IncomingMessage } from '../node-http.ts';

type State = 'streams' | 'waits' | 'holds' | 'taken';

/** What node:http does with `optimizeEmptyRequests`: the request is at its end, and nothing more is to be heard of it. */
type Closable = { _dumpAndCloseReadable?(): void };

const canClose = typeof (IncomingMessage.prototype as Closable)._dumpAndCloseReadable === 'function';

export class GatheringRequest extends IncomingMessage {
  #state: State = 'streams';
  #body: Buffer | undefined;
  #length = 0;

  /** It announces no body, and nobody is going to read it. */
  endEmpty(): void {
    (this as Closable)._dumpAndCloseReadable?.();
  }

  /** Call it when no more than a part of the body has come. @param length of the body in bytes, not 0 */
  gather(length: number): void {
    if (!canClose) return;
    this.#state = 'waits';
    this.#length = length;
  }

  /** The body, if all of it has come since; if not, it is a stream from now on as if nothing had happened. */
  gathered(): Buffer | undefined {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined) {
      this.#state = 'streams';
      return undefined;
    }
    this.#state = 'taken';
    this.endEmpty();
    return body;
  }

  /** The parser's: a piece of the body, or null at its end. */
  override push(chunk: Buffer | null): boolean {
    if (this.#state === 'waits' && chunk !== null) {
      if (chunk.length === this.#length) {
        this.#state = 'holds';
        this.#body = chunk;
        return true;
      }
      this.#state = 'streams';
    }
    // The end is known to who holds the whole body.
    if (this.#state === 'holds') return false;
    return super.push(chunk);
  }
}
