// Reads a request body that has to be in memory as a whole.
import type { IncomingMessage } from 'node:http';

export class BodyError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'BodyError';
    this.status = status;
  }
}

const empty = Buffer.alloc(0);

export const hasBody = (request: IncomingMessage): boolean => {
  const length = request.headers['content-length'];
  return length === undefined ? request.headers['transfer-encoding'] !== undefined : length !== '0';
};

/** `done` gets a `BodyError` (413, or 400 when the client went away) or the whole body; it is called once. */
export const readBody = (
  request: IncomingMessage,
  limitBytes: number,
  done: (error: BodyError | undefined, body: Buffer) => void,
): void => {
  const gone = (): BodyError => new BodyError(400, 'body: the client went away before it was complete');
  const tooLarge = (): BodyError => new BodyError(413, `body: expected at most ${limitBytes} bytes, got more`);
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > limitBytes) {
    done(tooLarge(), empty);
    return;
  }
  if (!hasBody(request)) {
    done(undefined, empty);
    return;
  }
  // It left before anybody asked for the body: no event will tell any more.
  if (request.destroyed && !request.readableEnded) {
    done(gone(), empty);
    return;
  }
  let first: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  let bytes = 0;
  let finished = false;
  const finish = (error: BodyError | undefined, body: Buffer): void => {
    if (finished) return;
    finished = true;
    done(error, body);
  };
  request.on('data', (chunk: Buffer) => {
    if (finished) return;
    bytes += chunk.length;
    if (bytes > limitBytes) finish(tooLarge(), empty);
    else if (first === undefined) first = chunk;
    else if (chunks === undefined) chunks = [first, chunk];
    else chunks.push(chunk);
  });
  request.on('end', () => finish(undefined, chunks === undefined ? (first ?? empty) : Buffer.concat(chunks, bytes)));
  request.on('error', () => finish(gone(), empty));
};
