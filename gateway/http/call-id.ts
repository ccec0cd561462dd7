// Identity and start time of a call, as OpenFaaS puts them on requests and answers.
import { randomUUID } from 'node:crypto';

export const newCallId = (): string => randomUUID();

/** `ms` since 1970, with its fraction, as nanoseconds in 19 digits. */
export const formatNanos = (ms: number): string => {
  const whole = Math.floor(ms);
  // The leading 1 keeps the zeros behind it; padStart costs more.
  return `${whole}${String(1e6 + Math.floor((ms - whole) * 1e6)).slice(1)}`;
};

/** Now, in ms since 1970 with a fraction that is good for microseconds. */
export const preciseNowMs = (): number => performance.timeOrigin + performance.now();
