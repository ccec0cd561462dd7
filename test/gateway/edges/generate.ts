// Valid requests and answers, by chance: whatever HTTP/1.1 allows and somebody may send.
import { METHODS } from 'node:http';
import type { Random } from '../../helpers/random.ts';
import type { Pair } from '../../helpers/raw-client.ts';

export type RequestPlan = {
  readonly id: string;
  readonly method: string;
  /** What follows the function's name: path and query. */
  readonly rest: string;
  readonly version: '1.0' | '1.1';
  readonly headers: readonly Pair[];
  readonly body: BodyPlan;
  readonly expect: boolean;
};

export type BodyPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly text: string }
  | {
      readonly kind: 'chunked';
      readonly chunks: readonly string[];
      readonly extensions: boolean;
      readonly trailers: readonly Pair[];
    };

export type AnswerPlan = {
  readonly informational: readonly { readonly status: number; readonly headers: readonly Pair[] }[];
  readonly status: number;
  readonly reason: string | undefined;
  readonly headers: readonly Pair[];
  readonly framing: 'length' | 'chunked' | 'close' | 'none';
  readonly chunks: readonly string[];
  readonly trailers: readonly Pair[];
};

export type ConnectionPlan = {
  /** All requests are sent before an answer is read. */
  readonly pipelined: boolean;
  readonly calls: readonly { readonly request: RequestPlan; readonly answer: AnswerPlan }[];
};

/** CONNECT and TRACE do not reach functions; PRI belongs to HTTP/2. */
const methods = METHODS.filter((method) => !['CONNECT', 'TRACE', 'PRI'].includes(method));
const commonMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

const between = (random: Random, low: number, high: number): number => low + random.below(high - low + 1);
const chance = (random: Random, of: number): boolean => random.next() < of;
const some = <T>(random: Random, most: number, make: () => T): T[] => Array.from({ length: random.below(most + 1) }, make);

const pickChars = (random: Random, chars: string, low: number, high: number): string => {
  let text = '';
  for (let left = between(random, low, high); left > 0; left -= 1) text += chars[random.below(chars.length)];
  return text;
};

const range = (first: number, last: number): string =>
  String.fromCharCode(...Array.from({ length: last - first + 1 }, (_, i) => first + i));

const tokenChars = `${range(48, 57)}${range(65, 90)}${range(97, 122)}!#$%&'*+-.^_\`|~`;
const visible = range(0x21, 0x7e);
const valueChars = `${visible}${range(0xa0, 0xff)} \t`;
const pathChars = [...visible].filter((char) => !'?#/'.includes(char)).join('');
const bytes = range(0, 255);

const headerValue = (random: Random): string => {
  const kind = random.below(10);
  if (kind === 0) return '';
  if (kind === 1) return pickChars(random, visible, 1000, 6000);
  return pickChars(random, valueChars, 1, 40).trim();
};

const knownNames = [
  'Accept',
  'accept-encoding',
  'COOKIE',
  'Cookie',
  'Authorization',
  'If-None-Match',
  'Range',
  'x-a',
  'X-A',
  'Via',
  'Forwarded',
];

const headerName = (random: Random): string =>
  chance(random, 0.5) ? random.pick(knownNames) : `X-${pickChars(random, tokenChars, 1, 20)}`;

const pairs = (random: Random, most: number): Pair[] => {
  const list: Pair[] = some(random, most, () => [headerName(random), headerValue(random)]);
  const again = list[0];
  if (again !== undefined && chance(random, 0.3)) list.push(again, [again[0].toUpperCase(), headerValue(random)]);
  return list;
};

/** Pairs with names that mean nothing. */
const ownPairs = (random: Random, most: number): Pair[] =>
  some(random, most, () => [`X-${pickChars(random, tokenChars, 1, 20)}`, headerValue(random)]);

const segment = (random: Random): string => {
  const kind = random.below(8);
  if (kind === 0)
    return random.pick(['%2e%2e', '%2F', '%00', '%', '%zz', '...', '.a', 'a..', '\\', ';a=b', '*', '~', '%e2%82%ac']);
  return pickChars(random, pathChars, 1, 12).replace(/^\.+$/, 'dots');
};

const path = (random: Random): string => {
  const segments = some(random, 5, () => `/${segment(random)}`).join('');
  const slash = segments !== '' && chance(random, 0.2) ? '/' : '';
  const query = chance(random, 0.4)
    ? `?${random.pick(['', 'a=1&a=2', '//', '/../x', 'u=http://h//x', '?', '%20', 'a+b', '&&=', '{}[]|^`"<>\\'])}`
    : '';
  return `${segments}${slash}${query}${query !== '' && chance(random, 0.1) ? '#part' : ''}`;
};

const sizes = [1, 2, 15, 16, 17, 255, 256, 1000, 4095, 4096, 16_384, 65_535, 65_536, 70_000];

/** Any bytes; long texts repeat a shorter one. */
const text = (random: Random, size: number): string => {
  const short = pickChars(random, bytes, 1, 64);
  return short.repeat(Math.ceil(size / short.length)).slice(0, size);
};

const bodySize = (random: Random): number => (chance(random, 0.2) ? random.pick(sizes) : between(random, 1, 300));

const chunks = (random: Random, most: number): string[] => some(random, most, () => text(random, bodySize(random)));

const requestBody = (random: Random): BodyPlan => {
  const kind = random.below(5);
  if (kind <= 1) return { kind: 'none' };
  if (kind === 2) return { kind: 'length', text: chance(random, 0.2) ? '' : text(random, bodySize(random)) };
  return {
    kind: 'chunked',
    chunks: chunks(random, 5),
    extensions: chance(random, 0.2),
    trailers: chance(random, 0.2) ? ownPairs(random, 3) : [],
  };
};

/** A body of no bytes needs no `100 Continue`. */
const hasBytes = (body: BodyPlan): boolean => body.kind === 'chunked' || (body.kind === 'length' && body.text !== '');

const requestPlan = (random: Random, id: string, pipelined: boolean, last: boolean): RequestPlan => {
  const version = last && !pipelined && chance(random, 0.05) ? '1.0' : '1.1';
  const drawn = requestBody(random);
  const body: BodyPlan = version === '1.0' && drawn.kind === 'chunked' ? { kind: 'length', text: drawn.chunks.join('') } : drawn;
  return {
    id,
    method: random.pick(chance(random, 0.7) ? commonMethods : methods),
    rest: path(random),
    version,
    headers: pairs(random, 8),
    body,
    expect: !pipelined && version === '1.1' && hasBytes(body) && chance(random, 0.1),
  };
};

const statuses = [
  200, 200, 200, 201, 202, 203, 204, 206, 207, 299, 300, 301, 302, 304, 307, 400, 401, 404, 405, 413, 418, 426, 429, 451, 500,
  502, 503, 504, 599, 600, 999,
];

const reasons = ['', 'Fine', 'With  Many   Spaces', 'D\xe9j\xe0 Vu', 'a\tb', ':', 'HTTP/1.1 200 OK', 'x'.repeat(3000)];

const answerPlan = (random: Random, request: RequestPlan, last: boolean): AnswerPlan => {
  const status = random.pick(statuses);
  const bodiless = status === 204 || status === 304;
  const framings = (['length', 'chunked', 'close'] as const).filter(
    (each) => (each !== 'close' || last) && (each !== 'chunked' || request.version === '1.1'),
  );
  const framing = bodiless ? 'none' : random.pick(framings);
  return {
    informational:
      request.version === '1.1' && chance(random, 0.15)
        ? some(random, 3, () => ({ status: random.pick([102, 103, 199]), headers: pairs(random, 2) }))
        : [],
    status,
    reason: chance(random, 0.5) ? random.pick(reasons) : undefined,
    headers: [
      ...pairs(random, 8),
      ...(chance(random, 0.7) ? [['Content-Type', random.pick(['text/html', 'a/b; c="d"', ''])] as Pair] : []),
    ],
    framing,
    chunks: bodiless ? [] : chunks(random, 4),
    trailers: framing === 'chunked' && chance(random, 0.4) ? pairs(random, 4) : [],
  };
};

/** One to three calls on one connection. */
export const connectionPlan = (random: Random, number: number): ConnectionPlan => {
  const count = between(random, 1, 3);
  const pipelined = count > 1 && chance(random, 0.5);
  const calls = Array.from({ length: count }, (_, i) => {
    const last = i === count - 1;
    const request = requestPlan(random, `${number}-${i}`, pipelined, last);
    return { request, answer: answerPlan(random, request, last) };
  });
  return { pipelined, calls };
};
