// What the tests of the durable state share: a directory that goes away, a silent log and rows to store.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Log } from '../../../../provider/process/log.ts';
import { openStore } from '../../../../provider/process/store/open-store.ts';
import type { Store, StoredFunction } from '../../../../provider/process/store/store.ts';
import { onEnd } from '../../../helpers/cleanup.ts';

export const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export const temporaryDirectory = (t: TestContext): string => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onEnd(t, () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
};

export const open = (dataDir: string, holder = 'the test'): Promise<Store> =>
  openStore({ dataDir, defaultNamespace: 'openfaas-fn', log: silent, holder });

/** An open store that is closed after the test; closing it twice is fine. */
export const openFor = async (t: TestContext, dataDir: string): Promise<Store> => {
  const store = await open(dataDir);
  onEnd(t, () => store.close());
  return store;
};

export const digest = (seed: number): string => seed.toString(16).padStart(64, '0');

export const stored = (name: string, change: Partial<StoredFunction['spec']> = {}): StoredFunction => ({
  spec: {
    service: name,
    namespace: 'openfaas-fn',
    image: `${name}:latest@sha256:${digest(1)}`,
    ...change,
  } as StoredFunction['spec'],
  replicas: 1,
  createdAt: '2026-02-03T04:05:06Z',
  calledAtMs: 0,
});

export const ref = (name: string, namespace = 'openfaas-fn') => ({ name, namespace });
