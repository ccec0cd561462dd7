// How many replicas start at one time. Those that somebody waits for go before those that nobody does.

/** May become urgent while it waits. */
export type Ticket = { urgent: boolean };

export interface Starts {
  /** Takes a place at once when there is one. */
  tryEnter(): boolean;
  /** Resolves once there is a place; false when the signal came first. */
  enter(ticket: Ticket, signal: AbortSignal): Promise<boolean>;
  leave(): void;
  /** Starts under way. */
  running(): number;
}

export const createStarts = (limit: number): Starts => {
  let running = 0;
  const queue = new Map<Ticket, () => void>();

  const next = (): (() => void) | undefined => {
    for (const [ticket, admit] of queue) if (ticket.urgent) return admit;
    const [first] = queue.values();
    return first;
  };

  return {
    tryEnter: () => {
      if (running >= limit) return false;
      running += 1;
      return true;
    },
    enter: (ticket, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(false);
        const onAbort = (): void => {
          queue.delete(ticket);
          resolve(false);
        };
        const admit = (): void => {
          queue.delete(ticket);
          signal.removeEventListener('abort', onAbort);
          running += 1;
          resolve(true);
        };
        if (running < limit) return admit();
        queue.set(ticket, admit);
        signal.addEventListener('abort', onAbort, { once: true });
      }),
    leave: () => {
      running -= 1;
      if (running < limit) next()?.();
    },
    running: () => running,
  };
};
