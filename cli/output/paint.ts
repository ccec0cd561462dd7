// Colours, only on a terminal and never with NO_COLOR.
import type { Environment, Output } from '../context.ts';

export type Paint = {
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly strong: (text: string) => string;
};

const plain = (text: string): string => text;

/** Whether the stream is a terminal that moves its cursor and shows colours. */
export const isLively = (stream: Output, env: Environment): boolean => stream.isTTY === true && env.TERM !== 'dumb';

export const createPaint = (stream: Output, env: Environment): Paint => {
  if (!isLively(stream, env) || (env.NO_COLOR ?? '') !== '') return { bad: plain, good: plain, dim: plain, strong: plain };
  const code = (number: number) => (text: string) => `\x1b[${number}m${text}\x1b[0m`;
  return { bad: code(31), good: code(32), dim: code(2), strong: code(1) };
};
