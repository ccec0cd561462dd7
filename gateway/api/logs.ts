// GET /system/logs: one JSON object per line, each sent at once. OpenFaaS contract, 1.8.
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Provider } from '../../provider/provider.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { type LogMessage, parseLogQuery } from '../../provider/types/logs.ts';
import type { Route } from '../http/route.ts';
import { sliceMs, writable } from '../http/slices.ts';

const copy = async (messages: AsyncIterable<LogMessage>, res: ServerResponse): Promise<void> => {
  let sliceStart = performance.now();
  for await (const message of messages) {
    if (res.destroyed) return;
    if (!res.write(`${JSON.stringify(message)}\n`)) await writable(res);
    // Stored lines come without a pause: let calls through between them.
    if (performance.now() - sliceStart >= sliceMs) {
      await nextTurn();
      sliceStart = performance.now();
    }
  }
};

/** @param stopping aborted when the gateway closes: followers are ended, not waited for */
export const streamLogs =
  (provider: Provider, stopping: AbortSignal): Route['run'] =>
  async ({ res, query, namespace }) => {
    const logQuery = parseLogQuery(query, namespace);
    if ((await provider.get({ name: logQuery.name, namespace })) === undefined) {
      throw new FaasError('not-found', `function ${logQuery.name} not found in namespace ${namespace}`);
    }
    const gone = new AbortController();
    const stop = (): void => gone.abort();
    res.on('close', stop);
    stopping.addEventListener('abort', stop);
    try {
      const messages = provider.logs(logQuery, gone.signal);
      res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      res.flushHeaders();
      await copy(messages, res);
      res.end();
    } catch (error) {
      // An iteration that was told to stop may say so by throwing.
      if (!gone.signal.aborted) throw error;
      res.end();
    } finally {
      res.off('close', stop);
      stopping.removeEventListener('abort', stop);
    }
  };
