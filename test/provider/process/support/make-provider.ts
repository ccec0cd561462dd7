// The embedded provider on directories of its own.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProcessProvider, type ProcessProviderOptions } from '../../../../provider/process/index.ts';
import type { Log } from '../../../../provider/process/log.ts';
import type { Provider } from '../../../../provider/provider.ts';
import { defaultNamespace } from '../../../../provider/types/name.ts';
import { watchdogFile } from './watchdog-file.ts';

export const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export type Place = {
  readonly dataDir: string;
  readonly runDir: string;
  /** Opens a provider here; close it before the next. */
  open(more?: Partial<ProcessProviderOptions>): Promise<Provider>;
  remove(): Promise<void>;
};

export const makePlace = async (): Promise<Place> => {
  const base = await mkdtemp(join(tmpdir(), 'slp-'));
  const dataDir = join(base, 'data');
  const runDir = await mkdtemp(join(tmpdir(), 'slr-'));
  await chmod(runDir, 0o711);
  return {
    dataDir,
    runDir,
    open: async (more = {}) =>
      createProcessProvider({
        dataDir,
        runDir,
        watchdogPath: await watchdogFile(),
        nodePath: process.execPath,
        defaultNamespace,
        log: quiet,
        holder: `pid ${process.pid} in a test`,
        drainTimeoutMs: 5000,
        ...more,
      }),
    remove: async () => {
      const thorough = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };
      await rm(base, thorough);
      await rm(runDir, thorough);
    },
  };
};
