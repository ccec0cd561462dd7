// Which namespaces functions may live in: the default one and those with the annotation `openfaas` (OpenFaaS contract, 5.8).
// Known from a watch; one that is not known yet is asked for.
import { FaasError } from '../types/errors.ts';
import { type KubeApi, paths } from './api.ts';
import { isNotFound, toFaasError } from './errors.ts';
import type { Follower } from './informer.ts';
import type { Namespace } from './objects.ts';
import { isOlder } from './versions.ts';

export const mark = 'openfaas';

/** Kubernetes' own: functions have no business there, whatever their annotations. */
export const isSystem = (name: string): boolean => name.startsWith('kube-');

export const isLeaving = ({ metadata, status }: Namespace): boolean =>
  metadata.deletionTimestamp !== undefined || status?.phase === 'Terminating';

export const quoted = (name: string): string => `namespace ${JSON.stringify(name)}`;

export type OpenNamespacesParts = {
  readonly api: KubeApi;
  readonly defaultNamespace: string;
  /** False where the service account may only see the default namespace. */
  readonly wholeCluster: boolean;
  /** Called after the set of open namespaces has changed. */
  readonly onChange: () => void;
};

export type OpenNamespaces = {
  readonly follower: Follower<Namespace>;
  has(name: string): boolean;
  names(): string[];
  /** Whether functions may live in it. */
  admits(namespace: Namespace): boolean;
  /** What a write of ours has made of it, ahead of the watch. */
  note(namespace: Namespace): void;
  /** A removal of ours, ahead of the watch. */
  forget(namespace: Namespace): void;
  /** As Kubernetes has it; `undefined` when it has none, or none that we may see. */
  read(name: string): Promise<Namespace | undefined>;
  /** @throws invalid for a namespace without functions */
  check(name: string): Promise<void>;
};

export const createOpenNamespaces = ({ api, defaultNamespace, wholeCluster, onChange }: OpenNamespacesParts): OpenNamespaces => {
  const open = new Map<string, Namespace>();
  /** Resource versions at which namespaces were removed by us. */
  const left = new Map<string, string>();

  const admits = (namespace: Namespace): boolean => {
    const { name, annotations } = namespace.metadata;
    return (annotations?.[mark] !== undefined || name === defaultNamespace) && !isSystem(name) && !isLeaving(namespace);
  };

  const note = (namespace: Namespace): void => {
    const { name, resourceVersion } = namespace.metadata;
    if (isOlder(resourceVersion, left.get(name)) || isOlder(resourceVersion, open.get(name)?.metadata.resourceVersion)) return;
    const was = open.has(name);
    if (admits(namespace)) open.set(name, namespace);
    else open.delete(name);
    if (was !== open.has(name)) onChange();
  };

  const read = async (name: string): Promise<Namespace | undefined> => {
    if (isSystem(name) || (!wholeCluster && name !== defaultNamespace)) return undefined;
    try {
      return await api.call<Namespace>('GET', paths.namespaces(name));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw toFaasError(error, quoted(name));
    }
  };

  const has = (name: string): boolean => name === defaultNamespace || open.has(name);

  return {
    follower: {
      replaced(items) {
        const listed = new Set(items.map(({ metadata }) => metadata.name));
        for (const name of [...open.keys()]) if (!listed.has(name)) open.delete(name);
        left.clear();
        for (const item of items) note(item);
        onChange();
      },
      changed: note,
      removed({ metadata }) {
        left.delete(metadata.name);
        if (open.delete(metadata.name)) onChange();
      },
    },
    has,
    names: () => [...new Set([defaultNamespace, ...open.keys()])].sort(),
    admits,
    note,
    forget({ metadata }) {
      if (metadata.resourceVersion !== undefined) left.set(metadata.name, metadata.resourceVersion);
      if (open.delete(metadata.name)) onChange();
    },
    read,
    async check(name) {
      if (has(name)) return;
      const namespace = await read(name);
      if (namespace === undefined || !admits(namespace)) {
        const text = `namespace: expected one that exists and has the annotation ${mark}, got ${JSON.stringify(name)}`;
        throw new FaasError('invalid', text);
      }
      note(namespace);
    },
  };
};
