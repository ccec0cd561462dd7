// What the answer to a request for something long costs the event loop.
import { type IncomingHttpHeaders, request } from 'node:http';

/** Bytes of an answer that is read and thrown away: keeping it would cost more than what is measured. */
export const drain = (url: string, headers: IncomingHttpHeaders = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const call = request(url, { agent: false, headers }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => resolve(bytes));
      answer.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });

/**
 * Result of the work, and the longest turn of the event loop during it: in ms of the main thread's own processor time,
 * because waiting for a processor on a busy machine says nothing about the work.
 */
export const longestTurn = async <Result>(work: () => Promise<Result>): Promise<{ result: Result; longestMs: number }> => {
  let longestMs = 0;
  let running = true;
  let before = process.threadCpuUsage();
  const tick = (): void => {
    const { user, system } = process.threadCpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1000);
    before = process.threadCpuUsage();
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  try {
    const result = await work();
    return { result, longestMs };
  } finally {
    running = false;
  }
};

/** As `longestTurn`, of the best of three rounds: a long one must be the work's own, not a neighbour's in the processor's cache. */
export const longestTurnOfThree: typeof longestTurn = async (work) => {
  let best = await longestTurn(work);
  for (let round = 1; round < 3; round += 1) {
    const next = await longestTurn(work);
    if (next.longestMs < best.longestMs) best = next;
  }
  return best;
};
