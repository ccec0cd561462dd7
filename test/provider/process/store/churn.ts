// Stores things in an endless loop until it is killed. Prints a line of JSON before each step (what is attempted) and
// after it (what is acknowledged), so that its killer knows what must be there.
import { digest, open, ref, stored } from './fixture.ts';

const directory = process.argv[2] ?? '';
const round = Number(process.argv[3]);
const store = await open(directory);

const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const step = async (key: string, value: string | null, write: () => Promise<void>): Promise<void> => {
  say({ attempt: key, value });
  await write();
  say({ done: key, value });
};

const lane = async (number: number): Promise<never> => {
  for (let index = 0; ; index += 1) {
    const name = `f${round}-${number}-${index}`;
    const namespace = `n${round}-${number}-${index}`;
    await step(name, '1', () => store.createFunction({ ...stored(name), replicas: 1 }));
    const spec = stored(name, { image: `x@sha256:${digest(index)}` }).spec;
    await step(name, '7', () => store.updateFunction(ref(name), { spec, replicas: 7 }));
    await step(name, '9', () => store.setReplicas(ref(name), 9));
    await step(namespace, 'there', () => store.createNamespace({ name: namespace, labels: {}, annotations: {} }));
    await step(`secret.${namespace}`, 'a', () => store.createSecret({ ...ref('secret', namespace), value: Buffer.from('a') }));
    if (index % 3 === 0) {
      say({ attempt: `secret.${namespace}`, value: null });
      await step(namespace, null, () => store.removeNamespace(namespace));
      say({ done: `secret.${namespace}`, value: null });
    }
    if (index % 4 === 0) await step(name, null, () => store.removeFunction(ref(name)));
  }
};

await Promise.all([0, 1, 2].map(lane));
