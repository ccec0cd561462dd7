// The last log lines of one function, over the lives of its replicas.

export type LogLine = {
  /** Counts up by one from line to line. */
  readonly sequence: number;
  readonly timeMs: number;
  /** Id of the replica that wrote it. */
  readonly instance: string;
  readonly text: string;
};

export interface LogRing {
  push(instance: string, text: string): void;
  /** Sequence of the oldest line that is still here; that of the next line when it is empty. */
  first(): number;
  /** Sequence that the next line gets. */
  next(): number;
  at(sequence: number): LogLine | undefined;
  /** Resolves when a line came, the signal is aborted or the ring is closed. */
  changed(signal: AbortSignal): Promise<void>;
  closed(): boolean;
  /** Ends the iterations of everybody who follows. */
  close(): void;
}

export const createLogRing = (limits: { maxLines: number; maxBytes: number }, now: () => number): LogRing => {
  let lines: LogLine[] = [];
  let dropped = 0;
  let bytes = 0;
  let isClosed = false;
  const waiting = new Set<() => void>();

  const wake = (): void => {
    if (waiting.size === 0) return;
    const woken = [...waiting];
    waiting.clear();
    for (const resolve of woken) resolve();
  };

  const first = (): number => lines[dropped]?.sequence ?? sequence;
  let sequence = 0;

  return {
    push: (instance, text) => {
      lines.push({ sequence, timeMs: now(), instance, text });
      sequence += 1;
      bytes += text.length;
      while (lines.length - dropped > limits.maxLines || (bytes > limits.maxBytes && lines.length - dropped > 1)) {
        bytes -= lines[dropped]?.text.length ?? 0;
        dropped += 1;
      }
      // Moving the array for every line that goes would make a chatty function quadratic.
      if (dropped > limits.maxLines) {
        lines = lines.slice(dropped);
        dropped = 0;
      }
      wake();
    },
    first,
    next: () => sequence,
    at: (wanted) => {
      const oldest = first();
      return wanted < oldest ? undefined : lines[dropped + wanted - oldest];
    },
    changed: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted || isClosed) return resolve();
        const done = (): void => {
          waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        waiting.add(done);
        signal.addEventListener('abort', done);
      }),
    closed: () => isClosed,
    close: () => {
      isClosed = true;
      wake();
    },
  };
};
