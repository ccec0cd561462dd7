// What happens to each of several functions: lines that change in place on a terminal, one line a step elsewhere.
import type { Environment, Output } from '../context.ts';
import { createPaint, isLively } from './paint.ts';

export type Progress = {
  /** What happens now. */
  readonly step: (name: string, text: string) => void;
  /** A line of output that belongs to a step. */
  readonly line: (name: string, text: string) => void;
  readonly done: (name: string, text: string) => void;
  readonly failed: (name: string, text: string) => void;
  /** Leaves the last state on the screen. */
  readonly close: () => void;
};

type State = { mark: string; text: string; running: boolean };

/** A build names the folder that it works on, which mostly is called like the function. */
const withoutName = (name: string, text: string): string => (text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text);

const createPlain = (stream: Output): Progress => {
  const write = (name: string, text: string): void => {
    for (const line of text.split('\n')) stream.write(`${name}: ${line}\n`);
  };
  return {
    step: write,
    line: (name, text) => write(name, withoutName(name, text)),
    done: write,
    failed: write,
    close: () => undefined,
  };
};

const frames = ['-', '\\', '|', '/'];

const createLively = (stream: Output, env: Environment, names: readonly string[]): Progress => {
  const paint = createPaint(stream, env);
  const states = new Map<string, State>(names.map((name) => [name, { mark: ' ', text: 'waiting', running: false }]));
  const width = Math.max(...names.map((name) => name.length), 0);
  let drawn = 0;
  let frame = 0;

  const erase = (): string => (drawn === 0 ? '' : `\x1b[${drawn}A\x1b[J`);
  const draw = (above = ''): void => {
    const columns = (stream.columns ?? 80) - 1;
    const lines = [...states].map(([name, state]) => {
      const mark = state.running ? (frames[frame % frames.length] ?? ' ') : state.mark;
      // Why cut first: colour codes take no room on the screen.
      const text = state.text.split('\n')[0]?.slice(0, Math.max(10, columns - width - 4)) ?? '';
      return `${mark} ${paint.strong(name.padEnd(width))}  ${state.running ? paint.dim(text) : text}\n`;
    });
    stream.write(erase() + above + lines.join(''));
    drawn = lines.length;
  };
  const set = (name: string, state: State): void => {
    states.set(name, state);
    draw();
  };
  const timer = setInterval(() => {
    frame += 1;
    draw();
  }, 100);
  timer.unref();
  return {
    step: (name, text) => set(name, { mark: ' ', text, running: true }),
    line: (name, text) => draw(`${paint.dim(`${name}: ${withoutName(name, text)}`)}\n`),
    done: (name, text) => set(name, { mark: paint.good('✓'), text, running: false }),
    failed: (name, text) => set(name, { mark: paint.bad('✗'), text, running: false }),
    close: () => clearInterval(timer),
  };
};

export const createProgress = (stream: Output, env: Environment, names: readonly string[]): Progress =>
  // Lines that have left the screen cannot be drawn over.
  isLively(stream, env) && names.length < (stream.rows ?? 24) - 1 ? createLively(stream, env, names) : createPlain(stream);
