// Splits the output of a function into lines, each with its prefix; a line that is too long is split, never dropped.
import { stamp } from './log.ts';

export type LineWriter = { write(chunk: Buffer): void; end(): void };

const newline = 0x0a;

/** @param maxBytes longest line; 0 or less for any length @param emit gets each line with its newline */
export const createLineWriter = (prefix: () => string, maxBytes: number, emit: (line: string) => void): LineWriter => {
  let pending: Buffer[] = [];
  let bytes = 0;

  const flush = (): void => {
    const line = (pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending)).toString('utf8');
    pending = [];
    bytes = 0;
    emit(`${prefix()}${line.endsWith('\r') ? line.slice(0, -1) : line}\n`);
  };

  /** Keeps what has no newline yet, in pieces of the longest length. */
  const keep = (part: Buffer): void => {
    let rest = part;
    while (maxBytes > 0 && bytes + rest.length > maxBytes) {
      pending.push(rest.subarray(0, maxBytes - bytes));
      rest = rest.subarray(maxBytes - bytes);
      flush();
    }
    if (rest.length === 0) return;
    pending.push(rest);
    bytes += rest.length;
  };

  return {
    write: (chunk) => {
      let from = 0;
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
        keep(chunk.subarray(from, at));
        flush();
        from = at + 1;
      }
      keep(chunk.subarray(from));
    },
    end: () => {
      if (bytes > 0) flush();
    },
  };
};

/** `2026/11/21 10:42:07 stderr: `, or nothing. */
export const linePrefix = (name: 'stdout' | 'stderr', wanted: boolean): (() => string) =>
  wanted ? () => `${stamp(new Date())} ${name}: ` : () => '';
