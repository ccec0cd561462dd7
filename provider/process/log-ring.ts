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

export type LogLimits = { readonly maxLines: number; readonly maxBytes: number };

class Ring implements LogRing {
  readonly #limits: LogLimits;
  readonly #now: () => number;
  /** `undefined` where a line was dropped. */
  #lines: (LogLine | undefined)[] = [];
  /** How many places at the front are empty. */
  #dropped = 0;
  #bytes = 0;
  #sequence = 0;
  #closed = false;
  /** Present while somebody waits. */
  #waiting: Set<() => void> | undefined;

  constructor(limits: LogLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  push(instance: string, text: string): void {
    this.#lines.push({ sequence: this.#sequence, timeMs: this.#now(), instance, text });
    this.#sequence += 1;
    this.#bytes += text.length;
    this.#trim();
    this.#wake();
  }

  first(): number {
    return this.#lines[this.#dropped]?.sequence ?? this.#sequence;
  }

  next(): number {
    return this.#sequence;
  }

  at(wanted: number): LogLine | undefined {
    const oldest = this.first();
    return wanted < oldest ? undefined : this.#lines[this.#dropped + wanted - oldest];
  }

  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.#closed) return resolve();
      const done = (): void => {
        this.#waiting?.delete(done);
        if (this.#waiting?.size === 0) this.#waiting = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting ??= new Set();
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #trim(): void {
    const { maxLines, maxBytes } = this.#limits;
    for (let kept = this.#lines.length - this.#dropped; kept > maxLines || (this.#bytes > maxBytes && kept > 1); kept -= 1) {
      this.#bytes -= this.#lines[this.#dropped]?.text.length ?? 0;
      this.#lines[this.#dropped] = undefined;
      this.#dropped += 1;
    }
    // Moving the array for every line that goes would make a chatty function quadratic.
    if (this.#dropped <= maxLines) return;
    this.#lines = this.#lines.slice(this.#dropped);
    this.#dropped = 0;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const done of waiting ?? []) done();
  }
}

export const createLogRing = (limits: LogLimits, now: () => number): LogRing => new Ring(limits, now);
