// What Request and Response share in the Fetch standard: a body that is read once, made lazily.
// A body that is already in memory never becomes a stream unless somebody asks for one.
import { Readable } from 'node:stream';
import { type BodySource, isStream } from './extract.ts';
import type { WebHeaders } from './headers.ts';

const concat = (chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = Buffer.concat(chunks);
  return new Uint8Array(all.buffer as ArrayBuffer, all.byteOffset, all.byteLength);
};

const readStream = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('body: expected a stream of Uint8Array');
    chunks.push(chunk);
  }
  return concat(chunks);
};

const streamOf = (source: BodySource): ReadableStream<Uint8Array> | null => {
  if (source === null || isStream(source)) return source;
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) return source.stream();
  return new ReadableStream<Uint8Array>({
    type: 'bytes',
    start: (controller) => {
      const bytes = typeof source === 'string' ? new TextEncoder().encode(source) : new Uint8Array(source);
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
};

const parseForm = async (bytes: Uint8Array<ArrayBuffer>, type: string): Promise<FormData> => {
  if (type.startsWith('application/x-www-form-urlencoded')) {
    const form = new FormData();
    for (const [name, value] of new URLSearchParams(new TextDecoder().decode(bytes))) form.append(name, value);
    return form;
  }
  if (!type.startsWith('multipart/form-data')) {
    throw new TypeError(`formData: expected multipart/form-data or application/x-www-form-urlencoded, got ${type || 'no type'}`);
  }
  // Why: a multipart parser is large; Node has one behind its own Response, whose class a data: URL yields.
  const native = await globalThis.fetch('data:,');
  const Native = native.constructor as new (body: Uint8Array<ArrayBuffer>, init: ResponseInit) => globalThis.Response;
  return new Native(bytes, { headers: { 'Content-Type': type } }).formData();
};

export abstract class WebBody {
  #source: BodySource;
  #stream: ReadableStream<Uint8Array> | null | undefined;
  #used = false;

  constructor(source: BodySource) {
    this.#source = source;
  }

  abstract get headers(): WebHeaders;

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#stream === undefined) {
      this.#stream = this.openStream(this.#source);
      if (this.#used && this.#stream !== null) void this.#stream.cancel();
    }
    return this.#stream;
  }

  get bodyUsed(): boolean {
    if (this.#used) return true;
    const source = this.#stream ?? this.#source;
    return isStream(source) && Readable.isDisturbed(source as never);
  }

  text(): Promise<string> {
    return this.consume().then(decode);
  }

  json(): Promise<unknown> {
    return this.consume().then(decodeJson);
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.consume().then((body) => (typeof body === 'string' ? new TextEncoder().encode(body) : ownBytes(body)));
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.bytes().then((bytes) =>
      bytes.byteLength === bytes.buffer.byteLength
        ? bytes.buffer
        : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
  }

  async blob(): Promise<Blob> {
    return new Blob([await this.bytes()], { type: this.headers.get('content-type') ?? '' });
  }

  async formData(): Promise<FormData> {
    return parseForm(await this.bytes(), this.headers.get('content-type') ?? '');
  }

  /** The body for somebody who sends it on; afterwards it is used. */
  protected takeBody(): BodySource {
    this.assertUnused();
    this.#used = true;
    return this.#stream === undefined ? this.#source : this.#stream;
  }

  /** Splits the body for a clone: a stream in two, anything in memory shared. */
  protected shareBody(): BodySource {
    this.assertUnused();
    const source = this.#stream === undefined ? this.#source : this.#stream;
    if (!isStream(source)) return source;
    const [mine, theirs] = source.tee();
    this.#source = mine;
    this.#stream = mine;
    return theirs;
  }

  protected openStream(source: BodySource): ReadableStream<Uint8Array> | null {
    return streamOf(source);
  }

  protected consume(): Promise<string | Uint8Array> {
    try {
      this.assertUnused();
    } catch (error) {
      return Promise.reject(error);
    }
    this.#used = true;
    return this.readSource(this.#stream === undefined ? this.#source : this.#stream);
  }

  protected readSource(source: BodySource): Promise<string | Uint8Array> {
    if (source === null) return Promise.resolve('');
    if (typeof source === 'string' || source instanceof Uint8Array) return Promise.resolve(source);
    return isStream(source) ? readStream(source) : source.bytes();
  }

  protected assertUnused(): void {
    const source = this.#stream ?? this.#source;
    if (this.#used || (isStream(source) && (source.locked || Readable.isDisturbed(source as never)))) {
      throw new TypeError('Body is unusable: Body has already been read');
    }
  }
}

const ownBytes = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.byteLength === bytes.buffer.byteLength && !Buffer.isBuffer(bytes)
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);

const decode = (body: string | Uint8Array): string => {
  if (typeof body === 'string') return body;
  const start = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  return (Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)).toString('utf8', start);
};

const decodeJson = (body: string | Uint8Array): unknown => JSON.parse(decode(body));
