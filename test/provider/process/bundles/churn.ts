// Puts bundles in an endless loop until it is killed, slowly enough for kills to fall into every stage. Prints each digest
// once its put is acknowledged.
import { writeSync } from 'node:fs';
import { createBundles } from '../../../../provider/process/bundles/create-bundles.ts';
import { silent } from '../store/fixture.ts';
import type { Item } from './archive.ts';
import { body, bundle } from './archive.ts';

const dataDir = process.argv[2] ?? '';
const round = Number(process.argv[3]);
const bundles = createBundles({ dataDir, maxBytes: 10_000_000, log: silent });
await bundles.sweep();
writeSync(1, 'ready\n');

const lane = async (number: number): Promise<never> => {
  for (let index = 0; ; index += 1) {
    const files: Item[] = Array.from({ length: 10 }, (_, file) => ({
      name: `d${file % 3}/${file}`,
      content: `${file}`.repeat(2000),
    }));
    const { digest, bytes } = await bundle((round * 10 + number) * 10_000 + index, ...files);
    await bundles.put(digest, body(bytes, 8192));
    writeSync(1, `${digest}\n`);
  }
};

await Promise.all([0, 1, 2].map(lane));
