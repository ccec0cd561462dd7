// Puts bundles in an endless loop until it is killed. Prints a line for each chunk of an upload that is read, and each
// digest once its put is acknowledged.
import { createBundles } from '../../../../provider/process/bundles/create-bundles.ts';
import { silent } from '../store/fixture.ts';
import type { Item } from './archive.ts';
import { body, bundle } from './archive.ts';

const dataDir = process.argv[2] ?? '';
const round = Number(process.argv[3]);
const bundles = createBundles({ dataDir, maxBytes: 10_000_000, log: silent });
await bundles.sweep();

const step = async (): Promise<void> => {
  process.stdout.write('step\n');
};

const lane = async (number: number): Promise<never> => {
  for (let index = 0; ; index += 1) {
    const files: Item[] = Array.from({ length: 10 }, (_, file) => ({
      name: `d${file % 3}/${file}`,
      content: `${file}`.repeat(2000),
    }));
    const { digest, bytes } = await bundle((round * 10 + number) * 10_000 + index, ...files);
    await bundles.put(digest, body(bytes, 8192, step));
    process.stdout.write(`${digest}\n`);
  }
};

await Promise.all([0, 1, 2].map(lane));
