// Keeps changing what a gateway has, one order after the other, until it dies.
import type { TestBundle } from '../../helpers/bundle.ts';
import type { Random } from '../../helpers/random.ts';
import type { Large } from './functions.ts';
import type { Known, Value } from './known.ts';
import type { Wire } from './wire.ts';

export const functionKey = (namespace: string, name: string): string => `function/${namespace}/${name}`;
export const secretKey = (namespace: string, name: string): string => `secret/${namespace}/${name}`;
export const namespaceKey = (name: string): string => `namespace/${name}`;
export const bundleKey = (digest: string): string => `bundle/${digest}`;

/** What is kept of a function's specification. */
export const functionValue = (image: string, value: string): string => `${image} ${value}`;

/** The secret that every function of a writer sees. */
export const sharedSecret = 'shared';

export type Writer = {
  /** Where it writes, and nobody else but to its permanent functions. */
  readonly namespace: string;
  /** The namespace is there from the start and stays. */
  readonly isDefault: boolean;
};

export type ChurnParts = {
  readonly known: Known;
  readonly wire: Wire;
  readonly random: Random;
  readonly writer: Writer;
  /** Bundles that are there for sure. */
  readonly bundles: readonly TestBundle[];
  /** A word never used before. */
  readonly word: () => string;
};

/** Each resolves to false when the gateway died meanwhile. */
type Change = () => Promise<boolean>;

const names = ['a', 'b', 'c', 'd'];

export const createChanges = ({ known, wire, random, writer, bundles, word }: ChurnParts) => {
  const { namespace } = writer;
  const functionsHere = (): string[] => names.filter((name) => known.has(functionKey(namespace, name)));

  const order = async (kind: string, method: string, path: string, body: unknown, changes: ReadonlyMap<string, Value>) => {
    known.beginGroup(changes);
    const status = await wire.send({ kind, method, path, body });
    if (status !== undefined) known.acknowledgeGroup(changes);
    return status !== undefined;
  };

  const putFunction =
    (method: 'POST' | 'PUT', name: string): Change =>
    () => {
      const { image } = random.pick(bundles);
      const value = word();
      const body = {
        service: name,
        image,
        namespace,
        envVars: { VALUE: value },
        secrets: [sharedSecret],
        labels: { 'com.openfaas.scale.min': '0' },
      };
      const changes = new Map([[functionKey(namespace, name), functionValue(image, value)]]);
      return order('deploy', method, '/system/functions', body, changes);
    };

  const removeFunction =
    (name: string): Change =>
    () =>
      order(
        'remove',
        'DELETE',
        '/system/functions',
        { functionName: name, namespace },
        new Map([[functionKey(namespace, name), null]]),
      );

  const putSecret = (method: 'POST' | 'PUT', name: string): Promise<boolean> => {
    const value = word();
    return order('secret', method, '/system/secrets', { name, namespace, value }, new Map([[secretKey(namespace, name), value]]));
  };

  const toggleSecret: Change = () =>
    known.has(secretKey(namespace, 'other'))
      ? order(
          'secret',
          'DELETE',
          '/system/secrets',
          { name: 'other', namespace },
          new Map([[secretKey(namespace, 'other'), null]]),
        )
      : putSecret('POST', 'other');

  const makeNamespace: Change = async () =>
    (await order(
      'namespace',
      'POST',
      '/system/namespace/',
      { name: namespace },
      new Map([[namespaceKey(namespace), 'there']]),
    )) && putSecret('POST', sharedSecret);

  const removeNamespace: Change = () => {
    const gone = [...known.keys(`function/${namespace}/`), ...known.keys(`secret/${namespace}/`)].filter(known.has);
    const changes = new Map<string, Value>([namespaceKey(namespace), ...gone].map((key) => [key, null]));
    return order('namespace', 'DELETE', `/system/namespace/${namespace}`, { name: namespace }, changes);
  };

  const deploy: Change = () => {
    const name = random.pick(names);
    return putFunction(functionsHere().includes(name) ? 'PUT' : 'POST', name)();
  };

  /** What must be there for the others. */
  const prepare: Change = async () => {
    if (!known.has(namespaceKey(namespace))) return makeNamespace();
    return known.has(secretKey(namespace, sharedSecret)) || putSecret('POST', sharedSecret);
  };

  const anything: Change = () => {
    const here = functionsHere();
    const choices: Change[] = [deploy, deploy, toggleSecret, () => putSecret('PUT', sharedSecret)];
    if (here.length > 0) choices.push(removeFunction(random.pick(here)));
    if (!writer.isDefault && random.below(3) === 0) choices.push(removeNamespace);
    return random.pick(choices)();
  };

  return {
    prepare,
    deploy,
    anything,
    /** Uploads it; @param halfway see Order */
    upload: ({ bundle }: Large, halfway?: () => Promise<void>): Promise<boolean> => {
      const key = bundleKey(bundle.digest);
      known.begin(key, 'there');
      return wire
        .send({
          kind: 'upload',
          method: 'PUT',
          path: `/system/bundles/${bundle.digest}`,
          body: bundle.bytes,
          ...(halfway && { halfway }),
        })
        .then((status) => {
          if (status !== undefined) known.acknowledge(key, 'there');
          return status !== undefined;
        });
    },
  };
};

export type Changes = ReturnType<typeof createChanges>;
