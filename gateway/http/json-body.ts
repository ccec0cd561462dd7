// Reads the JSON body of a control request, up to a limit.
import type { IncomingMessage } from 'node:http';
import { formatDuration } from '../../provider/types/duration.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { jsonErrorPlace } from './json-error.ts';

/** The largest body of a control request in bytes, where its route does not say otherwise. */
export const maxJsonBytes = 1024 * 1024;

const tooLarge = (limitBytes: number, got: string): FaasError =>
  new FaasError('too-large', `body: expected at most ${limitBytes} bytes, got ${got}`);

/** Refuses a declared length over the limit before a byte is read. @throws too-large */
export const checkDeclaredLength = (req: IncomingMessage, limitBytes: number): void => {
  const declared = req.headers['content-length'];
  if (declared !== undefined && Number(declared) > limitBytes) throw tooLarge(limitBytes, declared);
};

/** @throws too-large; invalid when the client left or fell silent */
const readBody = (req: IncomingMessage, silenceMs: number, limitBytes: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const silence = setTimeout(() => req.destroy(new Error(`nothing more came for ${formatDuration(silenceMs)}`)), silenceMs);
    const settle = (finish: () => void): void => {
      clearTimeout(silence);
      req.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      silence.refresh();
      size += chunk.length;
      chunks.push(chunk);
      if (size > limitBytes) settle(() => reject(tooLarge(limitBytes, 'more')));
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onClose = (): void => settle(() => reject(new FaasError('invalid', 'body: expected a complete body, the client left')));
    const onError = (cause: Error): void => settle(() => reject(new FaasError('invalid', `body: ${cause.message}`, { cause })));
    req.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError);
  });

/** No client nests deeper, and what is nested deeply takes the event loop long to parse. */
const maxDepth = 100;

/** Offset of the quote that closes the string, or of the text's end. */
const endOfString = (text: string, open: number): number => {
  let at = open + 1;
  while (at < text.length && text.charCodeAt(at) !== 34) at += text.charCodeAt(at) === 92 ? 2 : 1;
  return at;
};

/** @throws invalid when brackets are open more than `maxDepth` deep; other mistakes are not its business */
const checkDepth = (text: string): void => {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      at = endOfString(text, at);
    } else if (code === 91 || code === 123) {
      depth += 1;
      if (depth > maxDepth) throw new FaasError('invalid', `body: expected JSON nested at most ${maxDepth} deep, got more`);
    } else if (code === 93 || code === 125) depth -= 1;
  }
};

/**
 * The value of a JSON text.
 * @throws invalid with line and column of the mistake, and for one nested more than 100 deep
 */
export const parseJson = (text: string): unknown => {
  checkDepth(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text.trim() === '' ? 'nothing' : (cause as Error).message.replace(/ in JSON at position \d+.*$/, '');
    throw new FaasError('invalid', `body: expected JSON, got a mistake at ${jsonErrorPlace(text)}: ${found}`, { cause });
  }
};

/**
 * `undefined` for an empty body.
 * @param silenceMs after which a client that sends nothing more is cut off
 * @throws too-large; invalid with the place of the mistake
 */
export const readJson = async (req: IncomingMessage, silenceMs: number, limitBytes: number = maxJsonBytes): Promise<unknown> => {
  checkDeclaredLength(req, limitBytes);
  const bytes = await readBody(req, silenceMs, limitBytes);
  return bytes.length === 0 ? undefined : parseJson(bytes.toString('utf8'));
};
