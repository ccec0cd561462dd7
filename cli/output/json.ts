import type { Output } from '../context.ts';

/** A value for programs: two spaces of indent and a newline, as faas-cli writes it. */
export const writeJson = (stream: Output, value: unknown): void => {
  stream.write(`${JSON.stringify(value, null, 2)}\n`);
};
