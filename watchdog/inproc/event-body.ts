// What a handler of event style gets as `event.body`, by content type, as OpenFaaS's node22 template has it.
import type { IncomingMessage } from 'node:http';
import { BodyError, hasBody, readBody } from '../read-body.ts';
import { parseForm } from './form.ts';

export type BodySettings = {
  /** Every body as a Buffer. */
  readonly raw: boolean;
  readonly maxJsonBytes: number;
  readonly maxRawBytes: number;
  /** Text and forms. */
  readonly maxTextBytes: number;
};

const factors: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };
const defaultLimitBytes = 100 * 1024;

/** Bytes of `100kb`, `1.5mb` or a bare number; `undefined` for anything else. */
export const parseBytes = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)?$/i.exec(text.trim());
  return match === null ? undefined : Math.floor(Number(match[1]) * (factors[(match[2] ?? '').toLowerCase()] as number));
};

/** Bad sizes are listed in `problems`. */
export const readBodySettings = (env: Readonly<Record<string, string | undefined>>, problems: string[]): BodySettings => {
  const size = (name: string): number => {
    const text = env[name];
    if (text === undefined || text === '') return defaultLimitBytes;
    const bytes = parseBytes(text);
    if (bytes === undefined) problems.push(`${name}: expected a size such as 100kb, got ${JSON.stringify(text)}`);
    return bytes ?? defaultLimitBytes;
  };
  return {
    raw: env.RAW_BODY === 'true',
    maxJsonBytes: size('MAX_JSON_SIZE'),
    maxRawBytes: size('MAX_RAW_SIZE'),
    maxTextBytes: size('MAX_TEXT_SIZE'),
  };
};

type Kind = 'raw' | 'json' | 'text' | 'form';

const kindOf = (type: string, settings: BodySettings): Kind | undefined => {
  if (settings.raw) return 'raw';
  const end = type.indexOf(';');
  const media = (end === -1 ? type : type.slice(0, end)).trim().toLowerCase();
  if (media === 'application/json') return 'json';
  if (media === 'application/x-www-form-urlencoded') return 'form';
  return media.startsWith('text/') ? 'text' : undefined;
};

const limitOf = (kind: Kind, settings: BodySettings): number => {
  if (kind === 'raw') return settings.maxRawBytes;
  return kind === 'json' ? settings.maxJsonBytes : settings.maxTextBytes;
};

const limitName: Readonly<Record<Kind, string>> = {
  raw: 'MAX_RAW_SIZE',
  json: 'MAX_JSON_SIZE',
  text: 'MAX_TEXT_SIZE',
  form: 'MAX_TEXT_SIZE',
};

const decode = (bytes: Buffer, type: string): string => {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1]?.toLowerCase();
  if (charset === undefined || charset === 'utf-8' || charset === 'utf8') return bytes.toString('utf8');
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    throw new BodyError(415, `content-type: expected a charset that can be decoded, got ${JSON.stringify(charset)}`);
  }
};

const parseJson = (text: string): unknown => {
  if (!/^[\t\n\r ]*[[{]/.test(text)) throw new BodyError(400, `body: expected a JSON object or list, got ${preview(text)}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BodyError(400, `body: expected JSON: ${(error as Error).message}`);
  }
};

const preview = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);

const convert = (kind: Kind, bytes: Buffer, type: string): unknown => {
  if (kind === 'raw') return bytes;
  const text = decode(bytes, type);
  if (kind === 'json') return parseJson(text);
  return kind === 'form' ? parseForm(text) : text;
};

const inflate = (bytes: Buffer, encoding: string, limitBytes: number): Buffer => {
  const zlib = process.getBuiltinModule('node:zlib');
  const options = { maxOutputLength: limitBytes };
  try {
    if (encoding === 'gzip' || encoding === 'x-gzip') return zlib.gunzipSync(bytes, options);
    if (encoding === 'deflate') return zlib.inflateSync(bytes, options);
    if (encoding === 'br') return zlib.brotliDecompressSync(bytes, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') {
      throw new BodyError(400, `body: expected ${encoding} data: ${(error as Error).message}`);
    }
    throw new BodyError(413, `body: expected at most ${limitBytes} bytes, got more`);
  }
  throw new BodyError(415, `content-encoding: expected gzip, deflate or br, got ${JSON.stringify(encoding)}`);
};

/** `done` is called once: with a `BodyError`, or with the body, `undefined` where the template has none. */
export const readEventBody = (
  request: IncomingMessage,
  settings: BodySettings,
  done: (error: BodyError | undefined, body: unknown) => void,
): void => {
  const type = request.headers['content-type'] ?? 'text/plain';
  const kind = hasBody(request) ? kindOf(type, settings) : undefined;
  if (kind === undefined) {
    done(undefined, undefined);
    return;
  }
  const limit = limitOf(kind, settings);
  readBody(request, limit, (error, bytes) => {
    let failure = error;
    let body: unknown;
    try {
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (failure === undefined && bytes.length > 0) {
        body = convert(kind, encoding === 'identity' ? bytes : inflate(bytes, encoding.toLowerCase(), limit), type);
      }
    } catch (caught) {
      if (!(caught instanceof BodyError)) throw caught;
      failure = caught;
    }
    if (failure?.status === 413) failure = new BodyError(413, `${failure.message}; the limit is ${limitName[kind]}`);
    done(failure, failure === undefined ? body : undefined);
  });
};
