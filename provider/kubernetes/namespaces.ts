// Namespaces as the API shows and changes them (OpenFaaS contract, 1.9 and 5.8).
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespaces } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import { type KubeApi, mergePatch, paths } from './api.ts';
import { isTaken, toFaasError } from './errors.ts';
import type { Namespace, Texts } from './objects.ts';
import { isLeaving, isSystem, mark, type OpenNamespaces, quoted } from './open-namespaces.ts';

export type NamespacesParts = {
  readonly api: KubeApi;
  readonly open: OpenNamespaces;
  readonly defaultNamespace: string;
  readonly wholeCluster: boolean;
  /** How long a new namespace waits for one of its name that is on its way out. */
  readonly terminationMs?: number;
};

/** Labels and annotations of Kubernetes: an update that leaves them out does not mean to take them away. */
const isKubernetes = (key: string): boolean => key.startsWith('kubernetes.io/') || key.startsWith('kubectl.kubernetes.io/');

/** A merge patch that leaves only what is in `after`. */
const replacing = (before: Texts | undefined, after: Texts): Record<string, string | null> => {
  const gone = Object.keys(before ?? {}).filter((key) => !isKubernetes(key) && after[key] === undefined);
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...after };
};

const find = async (open: OpenNamespaces, name: string): Promise<Namespace> => {
  const namespace = await open.read(name);
  if (namespace !== undefined && open.admits(namespace)) return namespace;
  const text = namespace === undefined || isLeaving(namespace) ? 'does not exist' : `has no annotation ${mark}`;
  throw new FaasError('not-found', `${quoted(name)} ${text}`);
};

/** Resolves when a namespace that is on its way out is gone. @throws conflict for one that stays */
const untilGone = async (open: OpenNamespaces, name: string, limitMs: number): Promise<void> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const namespace = await open.read(name);
    if (namespace === undefined) return;
    if (!isLeaving(namespace)) throw new FaasError('conflict', `${quoted(name)} exists`);
    if (performance.now() > deadline) {
      const text = `${quoted(name)} is still being removed by Kubernetes; try again later`;
      throw new FaasError('conflict', text, { retryAfterS: 10 });
    }
    await sleep(250);
  }
};

export const createNamespaces = (parts: NamespacesParts): Namespaces => {
  const { api, open, defaultNamespace, wholeCluster } = parts;

  const checkReach = (name: string): void => {
    if (wholeCluster && !isSystem(name)) return;
    const why = isSystem(name) ? 'belongs to Kubernetes' : 'is out of reach: this gateway may only see its default namespace';
    throw new FaasError('forbidden', `${quoted(name)} ${why}`);
  };

  return {
    list: async () => open.names(),
    async get(name) {
      const { metadata } = await find(open, name);
      return { name, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
    },
    async create({ name, labels, annotations }) {
      checkReach(name);
      const metadata = { name, labels, annotations: { [mark]: '1', ...annotations } };
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
      for (let attempt = 1; ; attempt += 1) {
        try {
          open.note(await api.call<Namespace>('POST', paths.namespaces(), { body }));
          return;
        } catch (error) {
          if (!isTaken(error) || attempt === 3) throw toFaasError(error, quoted(name));
        }
        await untilGone(open, name, parts.terminationMs ?? 50_000);
      }
    },
    async update({ name, labels, annotations }) {
      const { metadata } = await find(open, name);
      const marked = { [mark]: metadata.annotations?.[mark] ?? '1', ...annotations };
      const patch = { labels: replacing(metadata.labels, labels), annotations: replacing(metadata.annotations, marked) };
      const options = { body: { metadata: patch }, contentType: mergePatch };
      try {
        open.note(await api.call<Namespace>('PATCH', paths.namespaces(name), options));
      } catch (error) {
        throw toFaasError(error, quoted(name));
      }
    },
    async remove(name) {
      if (name === defaultNamespace) {
        throw new FaasError('invalid', `namespace: expected another than the default one, got ${JSON.stringify(name)}`);
      }
      const { metadata } = await find(open, name);
      try {
        const options = { body: { preconditions: { uid: metadata.uid } } };
        open.forget(await api.call<Namespace>('DELETE', paths.namespaces(name), options));
      } catch (error) {
        throw toFaasError(error, quoted(name));
      }
    },
  };
};
