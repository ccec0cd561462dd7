// The lines of one function, kept for ever, and those who follow them.
import type { LogMessage, LogQuery } from '../../provider/types/logs.ts';

export type LogBuffer = {
  push(message: LogMessage): void;
  read(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogMessage, void, undefined>;
};

const defaultWindowMs = 5 * 60_000;

export const createLogBuffer = (): LogBuffer => {
  const messages: LogMessage[] = [];
  const wakers = new Set<() => void>();

  const history = (query: LogQuery): LogMessage[] => {
    const sinceMs = query.sinceMs ?? (query.tail === undefined ? Date.now() - defaultWindowMs : 0);
    const matching = messages.filter(
      (message) =>
        Date.parse(message.timestamp) >= sinceMs && (query.instance === undefined || message.instance === query.instance),
    );
    return query.tail === undefined ? matching : matching.slice(-query.tail);
  };

  return {
    push(message) {
      messages.push(message);
      for (const wake of wakers) wake();
    },
    async *read(query, signal) {
      let next = messages.length;
      yield* history(query);
      if (!query.follow) return;
      while (!signal.aborted) {
        while (next < messages.length && !signal.aborted) {
          const message = messages[next];
          next += 1;
          if (message !== undefined && (query.instance === undefined || message.instance === query.instance)) yield message;
        }
        if (signal.aborted) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        wakers.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
        if (next < messages.length || signal.aborted) resolve();
        await promise;
        wakers.delete(resolve);
      }
    },
  };
};
