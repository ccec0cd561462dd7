// Which user id the functions of a namespace run as: given out once, kept in the data directory, never given to another.
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError } from '../types/errors.ts';

export interface Owners {
  /** Durable when it resolves. */
  idOf(namespace: string): Promise<number>;
}

const fileName = 'user-ids.json';

const parse = (text: string, path: string): Map<string, number> => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value);
      if (entries.every(([, id]) => Number.isInteger(id))) return new Map(entries);
    }
  } catch {
    // Falls through to the one message.
  }
  throw new FaasError('internal', `${path}: expected an object of user ids; put it right or restore it from a backup`);
};

const writeDurably = async (dir: string, text: string): Promise<void> => {
  const path = join(dir, fileName);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const parent = await open(dir, 'r');
  await parent.sync().finally(() => parent.close());
};

/** @throws internal when the file cannot be read as what it is */
export const openOwners = async (dataDir: string, firstId: number): Promise<Owners> => {
  const path = join(dataDir, fileName);
  // Of one that was killed while it wrote.
  await rm(`${path}.new`, { force: true });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw new FaasError('internal', `${path}: ${error.message}`, { cause: error });
  });
  const ids = parse(text, path);
  let next = Math.max(firstId, ...[...ids.values()].map((id) => id + 1));
  let last: Promise<void> = Promise.resolve();
  const pending = new Map<string, Promise<number>>();

  const assign = async (namespace: string): Promise<number> => {
    const id = next;
    next += 1;
    const write = last.then(() => writeDurably(dataDir, JSON.stringify(Object.fromEntries([...ids, [namespace, id]]), null, 2)));
    last = write.then(
      () => void ids.set(namespace, id),
      () => undefined,
    );
    await write;
    return id;
  };

  return {
    idOf: async (namespace) => {
      const known = ids.get(namespace);
      if (known !== undefined) return known;
      const running = pending.get(namespace) ?? assign(namespace).finally(() => pending.delete(namespace));
      pending.set(namespace, running);
      return running;
    },
  };
};
