import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createBundles } from '../../../../provider/process/bundles/create-bundles.ts';
import { silent, temporaryDirectory } from '../store/fixture.ts';
import { config } from './archive.ts';

/** Lets the process put bundles until it has printed `lines` lines, then kills it; the digests that it acknowledged. */
const churn = async (directory: string, round: number, lines: number): Promise<string[]> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./churn.ts', import.meta.url)), directory, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    count += 1;
    if (count === lines) setTimeout(round % 5).then(() => child.kill('SIGKILL'));
    if (line !== 'step') said.push(line);
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return said;
};

const list = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : []);

test('after SIGKILL at any moment acknowledged bundles are complete, and no other is half there', {
  timeout: 60_000,
}, async (t) => {
  const directory = temporaryDirectory(t);
  const home = join(directory, 'bundles');
  const acknowledged = new Set<string>();
  let left = 0;
  for (let round = 0; round < 10; round += 1) {
    for (const digest of await churn(directory, round, 1 + ((round * 67) % 190))) acknowledged.add(digest);
    left += list(join(home, 'partial')).length;

    const bundles = createBundles({ dataDir: directory, maxBytes: 1, log: silent });
    await bundles.sweep();
    assert.deepEqual(list(join(home, 'partial')), []);
    const present = list(home).filter((name) => name !== 'partial');
    for (const digest of acknowledged) assert.ok(present.includes(digest), `round ${round}: ${digest} was acknowledged`);
    for (const digest of present) {
      assert.deepEqual(await bundles.config(digest), config);
      const root = await bundles.unpacked(digest);
      assert.match(readFileSync(join(root, 'handler.js'), 'utf8'), /^export const handle = \(\) => \d+;\n$/);
      for (let file = 0; file < 10; file += 1) {
        assert.equal(readFileSync(join(root, `d${file % 3}/${file}`), 'utf8'), `${file}`.repeat(2000));
      }
    }
  }
  assert.ok(acknowledged.size > 0, 'some puts were finished');
  assert.ok(left > 0, 'some kills fell into a put');
});
