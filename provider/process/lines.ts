// Splits the output of a process into lines.
import { StringDecoder } from 'node:string_decoder';

export type LineSplitter = {
  /** @returns how many lines the chunk completed */
  push(chunk: Buffer): number;
  /** Hands out what came after the last newline. */
  end(): void;
};

/** A short piece of a long text keeps all of it in memory: copied, so that a log holds what it shows and no more. */
const detached = (line: string, source: string): string =>
  line.length * 4 < source.length ? Buffer.from(line, 'utf8').toString('utf8') : line;

/** Lines longer than `maxLength` characters are cut into several. A carriage return before the newline goes. */
export const createLineSplitter = (maxLength: number, emit: (line: string) => void): LineSplitter => {
  const decoder = new StringDecoder('utf8');
  let rest = '';

  const emitCut = (line: string): void => {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    // An empty line is a line, too.
    emit(text.slice(0, maxLength));
    for (let at = maxLength; at < text.length; at += maxLength) emit(text.slice(at, at + maxLength));
  };

  const feed = (text: string): number => {
    let lines = 0;
    let from = 0;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      emitCut(rest + detached(text.slice(from, at), text));
      rest = '';
      from = at + 1;
      lines += 1;
    }
    rest += detached(text.slice(from), text);
    while (rest.length >= maxLength) {
      emit(rest.slice(0, maxLength));
      rest = rest.slice(maxLength);
      lines += 1;
    }
    return lines;
  };

  return {
    push: (chunk) => feed(decoder.write(chunk)),
    end: () => {
      feed(decoder.end());
      if (rest !== '') emitCut(rest);
      rest = '';
    },
  };
};
