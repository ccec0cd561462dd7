// Which failures of a registry pass by themselves, and how long to wait for that. Pure apart from the waiting.
import type { Dispatcher } from 'undici';

export type Pause = {
  readonly sleep: (ms: number) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
};

export const maxAttempts = 6;
const firstPauseMs = 200;
const longestPauseMs = 10_000;

const passing: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

export const isPassingStatus = (status: number): boolean => status === 429 || status === 408 || (status >= 500 && status !== 501);

/** True for a cut or refused connection. */
export const isPassingError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && passing.has(String(error.code));

/** Before attempt `next` (2 is the first repetition): doubling, scattered over its upper half. */
export const pauseMs = (next: number, random: number): number => {
  const full = Math.min(longestPauseMs, firstPauseMs * 2 ** (next - 2));
  return Math.round(full * (0.5 + random / 2));
};

/** `Retry-After` in milliseconds, at most a minute; `undefined` when it says nothing usable. */
export const retryAfterMs = (headers: Dispatcher.ResponseData['headers'], now: number): number | undefined => {
  const value = headers['retry-after'];
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(60_000, Math.max(0, ms));
};
