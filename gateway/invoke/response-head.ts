// What the head of a function's answer says: status, fields, and where its body ends. What two readers could read differently
// is refused (RFC 9112, 6.3).
import { parseFields } from './fields.ts';

/** `none`: no body whatever the head says; a number: so many bytes; `close`: what comes until the connection ends. */
export type BodyFraming = 'none' | 'chunked' | 'close' | number;

export type ResponseHead = {
  readonly status: number;
  readonly reason: string;
  /** All fields as they came; flat. */
  readonly headers: string[];
  readonly framing: BodyFraming;
  /** Whether the connection may be used again, and for how long it is kept in ms where that was told. */
  readonly keepAlive: boolean;
  readonly keepAliveMs: number | undefined;
};

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

/** A number of more digits cannot be told from its neighbours. */
const contentLength = /^\d{1,15}$/;

type Facts = {
  length: string | undefined;
  coding: string | undefined;
  connection: string;
  keepAlive: string | undefined;
};

const factsOf = (headers: readonly string[]): Facts => {
  const facts: Facts = { length: undefined, coding: undefined, connection: '', keepAlive: undefined };
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    // Only names of these lengths need a look.
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (facts.length !== undefined) throw new Error('more than one Content-Length');
      if (!contentLength.test(value)) throw new Error(`Content-Length: expected a number, got ${JSON.stringify(value)}`);
      facts.length = value;
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      facts.coding = facts.coding === undefined ? value.toLowerCase() : `${facts.coding}, ${value}`;
    } else if (name.length === 10) {
      const lower = name.toLowerCase();
      if (lower === 'connection') facts.connection += `${value.toLowerCase()},`;
      else if (lower === 'keep-alive') facts.keepAlive = value;
    }
  }
  return facts;
};

const hasOption = (connection: string, option: string): boolean =>
  connection.includes(option) && connection.split(',').some((each) => each.trim() === option);

const keptMs = (keepAlive: string | undefined): number | undefined => {
  const seconds = /timeout=(\d{1,9})/i.exec(keepAlive ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
};

const framingOf = (status: number, isHead: boolean, { length, coding }: Facts): BodyFraming => {
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new Error(`Transfer-Encoding: expected chunked, got ${JSON.stringify(coding)}`);
    if (length !== undefined) throw new Error('both a Content-Length and a Transfer-Encoding');
  }
  if (isHead || status < 200 || status === 204 || status === 304) return 'none';
  if (coding !== undefined) return 'chunked';
  return length === undefined ? 'close' : Number(length);
};

/**
 * @param text one character a byte
 * @param end behind the empty line of the head
 * @param isHead the answer is to HEAD
 * @throws Error saying what is wrong with it
 */
export const parseResponseHead = (text: string, end: number, isHead: boolean): ResponseHead => {
  const lineEnd = text.indexOf('\r');
  const line = text.slice(0, lineEnd);
  const match = statusLine.exec(line);
  if (match === null || text.charCodeAt(lineEnd + 1) !== 10) {
    throw new Error(`expected the status line of an HTTP/1.1 answer, got ${JSON.stringify(line.slice(0, 40))}`);
  }
  const status = Number(match[2]);
  if (status === 101) throw new Error('it switched protocols unasked');
  const headers = parseFields(text, lineEnd + 2, end);
  const facts = factsOf(headers);
  const framing = framingOf(status, isHead, facts);
  const persistent = match[1] === '1' ? !hasOption(facts.connection, 'close') : hasOption(facts.connection, 'keep-alive');
  // HTTP/1.0 has no codings, and a 204 no body: who says otherwise may send what the next caller would get for an answer.
  const isPlain = match[1] === '1' ? status !== 204 || (facts.coding ?? facts.length ?? '0') === '0' : facts.coding === undefined;
  return {
    status,
    reason: match[3] ?? '',
    headers,
    framing,
    keepAlive: persistent && isPlain && framing !== 'close',
    keepAliveMs: facts.keepAlive === undefined ? undefined : keptMs(facts.keepAlive),
  };
};
