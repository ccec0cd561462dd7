// One gateway that is killed again and again while it is told to change what it has.
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestBundle } from '../../helpers/bundle.ts';
import type { Cleanup } from '../../helpers/cleanup.ts';
import { eventually, within } from '../../helpers/eventually.ts';
import { startGateway } from '../../helpers/gateway.ts';
import type { Random } from '../../helpers/random.ts';
import { makeTmpDir } from '../../helpers/tmp.ts';
import { type Changes, createChanges, functionKey, functionValue, namespaceKey, secretKey, sharedSecret } from './churn.ts';
import { createExaminer, mainNamespace } from './examine.ts';
import { type Large, makeForking, makeLarge, makePython, makeTelling } from './functions.ts';
import { createKnown } from './known.ts';
import type { Place } from './traces.ts';
import { createWire, type Wire } from './wire.ts';

/** `half` and `upload` are in an upload: in the middle of what is sent, and anywhere at all. */
export type KillKind = 'deploy' | 'half' | 'upload' | 'writes' | 'start';

export type KillReport = {
  readonly kind: KillKind;
  /** Orders of that kind that the gateway had, an upload at least in half, and never answered. */
  readonly inside: number;
  /** Unfinished uploads on the disk of the dead gateway. */
  readonly rooms: number;
  /** What the functions had started was alive at that moment. */
  readonly descendantsAlive: boolean;
};

export type Lane = {
  /** Kills it, starts it again and compares everything. @throws AssertionError */
  round(kind: KillKind): Promise<KillReport>;
};

const writers = [
  { namespace: mainNamespace, isDefault: true },
  { namespace: 'team-a', isDefault: false },
  { namespace: 'team-b', isDefault: false },
];

const isAlive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

export const makePlace = async (t: Cleanup): Promise<Place> => {
  const base = await makeTmpDir(t);
  const place = { base, dataDir: join(base, 'data'), runParent: join(base, 'run') };
  await mkdir(place.runParent);
  // Functions may run under other accounts.
  for (const directory of [base, place.runParent]) await chmod(directory, 0o711);
  return place;
};

/** How the gateway of a place is started. */
export const gatewayOptions = (place: Place) => ({
  dataDir: place.dataDir,
  args: ['--pool-size', '1', '--log-level', 'warn'],
  env: { TMPDIR: place.runParent },
});

/** Uploads that are under way, or were when the gateway died. */
const roomsOf = async ({ dataDir }: Place): Promise<number> =>
  (await readdir(join(dataDir, 'bundles', 'partial')).catch(() => [])).length;

export const openLane = async (t: Cleanup, { random, withPython }: { random: Random; withPython: boolean }): Promise<Lane> => {
  const place = await makePlace(t);
  const gateway = await startGateway(t, gatewayOptions(place));
  await gateway.program().until(/try it:/);
  const known = createKnown();
  const codes = new Map<string, string>();
  const uploads: Large[] = [];
  let words = 0;
  const word = (): string => `w${++words}`;
  const coded = async (code: string, making: Promise<TestBundle>): Promise<TestBundle> => {
    const bundle = await making;
    codes.set(bundle.image, code);
    return bundle;
  };
  const bundles = [await coded('one', makeTelling('one')), await coded('two', makeTelling('two'))];
  const always = [
    { name: 'forking', bundle: await coded('forking', makeForking('forking')) },
    ...(withPython ? [{ name: 'python', bundle: await coded('python', makePython('python')) }] : []),
  ];
  const permanent = always.map((each) => each.name);
  const { look, examine } = createExaminer({ gateway, place, known, random, permanent, codes, uploads, bundles });

  const setUp = async (): Promise<(number | undefined)[]> => {
    const must = async (status: number, method: string, path: string, body: unknown): Promise<void> => {
      const answer = await gateway.control(method, path, body);
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    };
    await must(202, 'DELETE', '/system/functions', { functionName: 'hello' });
    const secret = word();
    await must(202, 'POST', '/system/secrets', { name: sharedSecret, value: secret });
    known.acknowledge(secretKey(mainNamespace, sharedSecret), secret);
    for (const bundle of bundles) await must(201, 'PUT', `/system/bundles/${bundle.digest}`, bundle.bytes);
    for (const { name, bundle } of always) {
      const value = word();
      await gateway.deploy(name, bundle, { envVars: { VALUE: value }, secrets: [sharedSecret] });
      known.acknowledge(functionKey(mainNamespace, name), functionValue(bundle.image, value));
    }
    known.acknowledge(namespaceKey(mainNamespace), 'there');
    for (const key of (await look()).keys()) if (key.startsWith('bundle/')) known.acknowledge(key, 'there');
    return examine();
  };

  const makeUpload = async (): Promise<Large> => {
    const code = word();
    const large = await makeLarge(code);
    codes.set(large.bundle.image, code);
    uploads.push(large);
    return large;
  };

  /** Writers that go on until the gateway is dead. */
  const startWriting = (wire: Wire, kind: KillKind): { changes: Changes[]; done: Promise<unknown> } => {
    const all = writers.map((writer) => createChanges({ known, wire, random, writer, bundles, word }));
    const run = async (changes: Changes): Promise<void> => {
      let alive = true;
      while (alive) alive = (await changes.prepare()) && (await (kind === 'deploy' ? changes.deploy : changes.anything)());
    };
    const done = Promise.all(all.map(run));
    return { changes: all, done };
  };

  /** Resolves at the moment to kill in. */
  const moment = async (wire: Wire, kind: KillKind, changes: Changes, died: Promise<void>): Promise<unknown> => {
    if (kind !== 'upload' && kind !== 'half') {
      const wanted = kind === 'deploy' ? ['deploy'] : ['secret', 'namespace', 'remove', 'deploy'];
      let after = 2 + random.below(12);
      await new Promise<void>((resolve) => {
        wire.onSent = (sent) => {
          if (wanted.includes(sent) && --after === 0) resolve();
        };
      });
      return random.below(2) === 0 ? undefined : sleep(random.below(8));
    }
    const large = await makeUpload();
    const half = Promise.withResolvers<void>();
    const whole = kind === 'upload';
    const sent = new Promise<void>((resolve) => {
      wire.onSent = (each) => {
        if (each === 'upload') resolve();
      };
    });
    const uploading = changes.upload(large, () => {
      half.resolve();
      return whole ? sleep(random.below(10)) : died;
    });
    uploading.catch(() => undefined);
    if (whole) await sent;
    else {
      await half.promise;
      await eventually(async () => (await roomsOf(place)) > 0, { what: 'the upload has begun', intervalMs: 2 });
    }
    return sleep(random.below(20));
  };

  let descendants = await setUp();

  const killInside = async (kind: KillKind): Promise<KillReport> => {
    const wire = createWire(gateway);
    const died = Promise.withResolvers<void>();
    const { changes, done } = startWriting(wire, kind);
    await within(Promise.race([moment(wire, kind, changes[0] as Changes, died.promise), done]), `the moment to kill in: ${kind}`);
    const under =
      kind === 'upload' || kind === 'half' ? wire.open(['upload']) : wire.inside(kind === 'deploy' ? ['deploy'] : undefined);
    const descendantsAlive = descendants.length === permanent.length && descendants.every(isAlive);
    await gateway.kill();
    died.resolve();
    await within(done, 'the writers notice');
    wire.close();
    const rooms = await roomsOf(place);
    const inside = under.filter((sending) => sending.stage === 'lost').length;
    return { kind, inside, rooms, descendantsAlive };
  };

  return {
    round: async (kind) => {
      let report: KillReport;
      if (kind === 'start') {
        const descendantsAlive = descendants.every(isAlive);
        await gateway.kill();
        gateway.launch();
        await sleep(30 + random.below(600));
        await gateway.kill();
        report = { kind, inside: 0, rooms: 0, descendantsAlive };
      } else report = await killInside(kind);
      await gateway.restart();
      descendants = await examine();
      return report;
    },
  };
};
