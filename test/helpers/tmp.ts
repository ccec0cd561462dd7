// Directories and environments that vanish with the test that made them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cleanup, onEnd } from './cleanup.ts';

/** An empty directory with a short path (unix sockets must fit in it), removed after the test. */
export const makeTmpDir = async (t: Cleanup): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'st-'));
  onEnd(t, () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }));
  return path;
};
