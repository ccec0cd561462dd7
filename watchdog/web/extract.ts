// Turns whatever the Fetch standard takes as a body into one of four forms, with the content type that it implies.

/** What a body is kept as. */
export type BodySource = string | Uint8Array | Blob | ReadableStream<Uint8Array> | null;

export type BodyInput =
  | BodySource
  | ArrayBuffer
  | ArrayBufferView
  | URLSearchParams
  | FormData
  | AsyncIterable<Uint8Array>
  | undefined;

export type ExtractedBody = { readonly source: BodySource; readonly type: string | undefined };

const isTagged = (value: unknown, tag: string): boolean => Object.prototype.toString.call(value) === `[object ${tag}]`;

/** By its tag: naming the class would load the streams library. */
export const isStream = (value: unknown): value is ReadableStream<Uint8Array> => isTagged(value, 'ReadableStream');

/** Names and file names in multipart bodies are escaped as HTML's forms do it. */
const escapeField = (text: string): string => text.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');

const multipart = (form: FormData): ExtractedBody => {
  const boundary = `----form-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;
  const parts: (string | Blob)[] = [];
  for (const [name, value] of form) {
    parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${escapeField(name)}"`);
    if (typeof value === 'string') parts.push(`\r\n\r\n${value.replace(/\r?\n|\r/g, '\r\n')}\r\n`);
    else {
      const type = value.type || 'application/octet-stream';
      parts.push(`; filename="${escapeField(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`, value, '\r\n');
    }
  }
  parts.push(`--${boundary}--\r\n`);
  return { source: new Blob(parts), type: `multipart/form-data; boundary=${boundary}` };
};

const fromObject = (body: Exclude<BodyInput, string | null | undefined>): ExtractedBody => {
  if (body instanceof Uint8Array) return { source: body, type: undefined };
  if (body instanceof ArrayBuffer || isTagged(body, 'SharedArrayBuffer')) {
    return { source: new Uint8Array(body as ArrayBuffer), type: undefined };
  }
  if (ArrayBuffer.isView(body)) {
    return { source: new Uint8Array(body.buffer, body.byteOffset, body.byteLength), type: undefined };
  }
  if (body instanceof URLSearchParams) {
    return { source: body.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (isStream(body)) {
    if (body.locked) throw new TypeError('body: expected a stream that nobody reads yet');
    return { source: body, type: undefined };
  }
  if (isTagged(body, 'Blob') || isTagged(body, 'File')) return { source: body as Blob, type: (body as Blob).type || undefined };
  if (isTagged(body, 'FormData')) return multipart(body as FormData);
  if (Symbol.asyncIterator in body) return { source: ReadableStream.from(body as AsyncIterable<Uint8Array>), type: undefined };
  return { source: String(body), type: 'text/plain;charset=UTF-8' };
};

export const extractBody = (body: BodyInput): ExtractedBody => {
  if (body === null || body === undefined) return { source: null, type: undefined };
  if (typeof body === 'object') return fromObject(body);
  return { source: String(body), type: 'text/plain;charset=UTF-8' };
};
