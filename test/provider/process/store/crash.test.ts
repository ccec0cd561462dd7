import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Store } from '../../../../provider/process/store/store.ts';
import { open, ref, temporaryDirectory } from './fixture.ts';

type Line = { readonly attempt?: string; readonly done?: string; readonly value: string | null };

/** Park and Miller's generator: the same kills in every run. */
const createRandom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/** Lets the process write until it has printed `lines` lines, then kills it; what it said up to then, in order. */
const churn = async (directory: string, round: number, lines: number): Promise<Line[]> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./churn.ts', import.meta.url)), directory, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: Line[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(JSON.parse(line) as Line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return said;
};

const storedValue = (store: Store, key: string): string | null => {
  if (key.startsWith('f')) return store.function(ref(key))?.replicas.toString() ?? null;
  if (key.startsWith('n')) return store.namespaces().some((namespace) => namespace.name === key) ? 'there' : null;
  return store.secretValue(ref('secret', key.slice('secret.'.length)))?.toString() ?? null;
};

/** For each key the values that it may have: the last acknowledged one, and those attempted since. */
const expectations = (said: readonly Line[]): Map<string, (string | null)[]> => {
  const allowed = new Map<string, (string | null)[]>();
  for (const { attempt, done, value } of said) {
    if (done !== undefined) allowed.set(done, [value]);
    else if (attempt !== undefined) allowed.set(attempt, [...(allowed.get(attempt) ?? [null]), value]);
  }
  return allowed;
};

test('after SIGKILL at any moment all acknowledged writes are there and nothing is half there', {
  timeout: 60_000,
}, async (t) => {
  const directory = temporaryDirectory(t);
  const random = createRandom(20_260);
  const all = new Map<string, (string | null)[]>();
  for (let round = 0; round < 10; round += 1) {
    const said = await churn(directory, round, 1 + Math.floor(random() * 150));
    assert.ok(said.length > 0);
    for (const [key, values] of expectations(said)) all.set(key, values);

    const store = await open(directory);
    try {
      for (const [key, values] of all) {
        const value = storedValue(store, key);
        assert.ok(values.includes(value), `round ${round}: ${key} is ${value}, expected one of ${values.join()}`);
        all.set(key, [value]);
      }
      for (const { spec } of store.functions()) assert.ok(all.has(spec.service), `${spec.service} was never attempted`);
      const names = new Set(store.namespaces().map((namespace) => namespace.name));
      for (const key of all.keys()) {
        if (key.startsWith('secret.') && storedValue(store, key) !== null) assert.ok(names.has(key.slice('secret.'.length)));
      }
    } finally {
      await store.close();
    }
  }
  const database = new DatabaseSync(join(directory, 'sluice.db'));
  assert.equal(database.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
  assert.deepEqual(database.prepare('PRAGMA foreign_key_check').all(), []);
  database.close();
});
