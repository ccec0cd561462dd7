// Compares all that a gateway has after a restart with what it had acknowledged.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestBundle } from '../../helpers/bundle.ts';
import type { RunningGateway } from '../../helpers/gateway.ts';
import type { Random } from '../../helpers/random.ts';
import { bundleKey, functionKey, functionValue, namespaceKey, secretKey, sharedSecret } from './churn.ts';
import type { Large, Told } from './functions.ts';
import { type Known, present } from './known.ts';
import { checkDataDir, checkProcesses, onlyRunDir, type Place } from './traces.ts';

export const mainNamespace = 'openfaas-fn';

export type ExamineParts = {
  readonly gateway: RunningGateway;
  readonly place: Place;
  readonly known: Known;
  readonly random: Random;
  /** Names of the functions in the main namespace that always run. */
  readonly permanent: readonly string[];
  /** What the functions of an image answer. */
  readonly codes: ReadonlyMap<string, string>;
  /** Uploads whose fate is to be found out; emptied. */
  readonly uploads: Large[];
  /** Gets those that have arrived. */
  readonly bundles: TestBundle[];
};

export const createExaminer = (parts: ExamineParts) => {
  const { gateway, place, known, random, permanent, codes, uploads, bundles } = parts;

  /** What the gateway says that it has, as keys and values. */
  const look = async (): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    const get = async <T>(path: string): Promise<T> => {
      const answer = await gateway.control('GET', path);
      assert.equal(answer.status, 200, `${path}: ${answer.text}`);
      return JSON.parse(answer.text) as T;
    };
    for (const namespace of await get<string[]>('/system/namespaces')) {
      found.set(namespaceKey(namespace), 'there');
      const [functions, secrets] = await Promise.all([
        get<{ name: string; image: string; envVars?: Record<string, string> }[]>(`/system/functions?namespace=${namespace}`),
        get<{ name: string }[]>(`/system/secrets?namespace=${namespace}`),
      ]);
      for (const each of functions) {
        found.set(functionKey(namespace, each.name), functionValue(each.image, each.envVars?.VALUE ?? ''));
      }
      for (const each of secrets) found.set(secretKey(namespace, each.name), present);
    }
    for (const name of await readdir(join(place.dataDir, 'bundles'))) {
      if (name !== 'partial') found.set(bundleKey(name), 'there');
    }
    return found;
  };

  /** Calls it and holds what it tells against what is known. */
  const ask = async (namespace: string, name: string): Promise<Told> => {
    const answer = await gateway.call(`${name}.${namespace}`);
    assert.equal(answer.status, 200, `${name}.${namespace}: ${answer.status} ${answer.text}`);
    const told = JSON.parse(answer.text) as Told;
    const [image = '', value = ''] = (known.allowed(functionKey(namespace, name))[0] ?? '').split(' ');
    assert.deepEqual([told.code, told.value], [codes.get(image), value], `${name}.${namespace}`);
    assert.deepEqual(Object.keys(told.secrets), [sharedSecret], `secrets of ${name}.${namespace}`);
    known.confirm(secretKey(namespace, sharedSecret), told.secrets[sharedSecret] as string);
    return told;
  };

  /** A woken function is put back to sleep: not all of them are to start with each life of the gateway. */
  const askSleeping = async (namespace: string, name: string): Promise<void> => {
    await ask(namespace, name);
    const body = { serviceName: name, namespace, replicas: 0 };
    const answer = await gateway.control('POST', `/system/scale-function/${name}?namespace=${namespace}`, body);
    assert.equal(answer.status, 202, answer.text);
  };

  const checkUploads = async (): Promise<void> => {
    for (const { bundle, files } of uploads.splice(0)) {
      const answer = await gateway.control('HEAD', `/system/bundles/${bundle.digest}`);
      const isThere = known.has(bundleKey(bundle.digest));
      assert.equal(answer.status, isThere ? 200 : 404);
      if (!isThere) continue;
      for (const [name, bytes] of Object.entries(files)) {
        assert.ok(
          bytes.equals(await readFile(join(place.dataDir, 'bundles', bundle.digest, name))),
          `${name} of ${bundle.digest}`,
        );
      }
      bundles.push(bundle);
    }
  };

  /** Resolves to the pids of what the functions have started. */
  const examine = async (): Promise<(number | undefined)[]> => {
    const { instance } = await onlyRunDir(place);
    await checkProcesses(place, instance, gateway.program().pid);
    known.observe(await look());
    await checkDataDir(place);
    await checkUploads();
    const sleeping = known
      .keys('function/')
      .filter(known.has)
      .map((key) => key.split('/').slice(1) as [string, string])
      .filter(([, name]) => !permanent.includes(name));
    const asked = await Promise.all([
      ...permanent.map((name) => ask(mainNamespace, name)),
      ...(sleeping.length === 0 ? [] : [askSleeping(...random.pick(sleeping))]),
    ]);
    return asked.flatMap((told) => (told === undefined ? [] : [told.child]));
  };

  return { look, examine };
};
