// Lines of the watchdog itself, as of-watchdog prints them.

export type Log = (message: string) => void;

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026/11/21 10:42:07` in local time. */
export const stamp = (now: Date): string =>
  `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;

export const createLog =
  (write: (text: string) => void): Log =>
  (message) =>
    write(`${stamp(new Date())} ${message}\n`);
