// The cluster as its watches show it: functions with their pods, and the namespaces that functions may live in.
import { type FunctionRef, formatRef } from '../types/name.ts';
import { type KubeApi, paths } from './api.ts';
import { Functions } from './functions.ts';
import type { Hub } from './hub.ts';
import { createInformer, type Informer } from './informer.ts';
import type { Deployment, KubeObject, Namespace, Pod } from './objects.ts';
import { createOpenNamespaces, type OpenNamespaces } from './open-namespaces.ts';
import type { Settings } from './options.ts';
import { functionLabel } from './pod.ts';
import { trimPod } from './pod-facts.ts';
import type { PodReach } from './reach.ts';

/** Without the bookkeeping of who wrote which field, which is longer than the object. */
export const trimObject = <Item extends KubeObject>(item: Item): Item => {
  const { managedFields: _, ...metadata } = item.metadata as Item['metadata'] & { managedFields?: unknown };
  return { ...item, metadata };
};

/** Calls those that want to know about pods of a function. */
const createPodListeners = () => {
  const listeners = new Map<string, Set<() => void>>();
  return {
    tell: (ref: FunctionRef): void => {
      for (const listener of listeners.get(formatRef(ref)) ?? []) listener();
    },
    add: (ref: FunctionRef, listener: () => void): (() => void) => {
      const key = formatRef(ref);
      const set = listeners.get(key) ?? new Set();
      listeners.set(key, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(key);
      };
    },
  };
};

export type ClusterView = {
  readonly functions: Functions;
  readonly open: OpenNamespaces;
  /** Calls when a pod of the function has changed; returns what ends it. */
  onPods(ref: FunctionRef, listener: () => void): () => void;
  /** Age of the oldest part of the view, in ms; 0 while all watches are open. */
  staleMs(): number;
  close(): Promise<void>;
};

export type ClusterViewParts = {
  readonly api: KubeApi;
  readonly hub: Hub;
  readonly settings: Settings;
  readonly wholeCluster: boolean;
  readonly reach: PodReach;
};

const startInformers = (parts: ClusterViewParts, functions: Functions, open: OpenNamespaces): Informer[] => {
  const { api, wholeCluster } = parts;
  const { log, now, defaultNamespace } = parts.settings;
  const scope = wholeCluster ? undefined : defaultNamespace;
  const common = { api, log, now, query: { labelSelector: functionLabel } };
  const { deployments, pods } = functions;
  const informers = [
    createInformer<Deployment>({
      ...common,
      what: 'deployments',
      path: paths.deployments(scope),
      trim: trimObject,
      follower: deployments,
    }),
    createInformer<Pod>({ ...common, what: 'pods', path: paths.pods(scope), trim: trimPod, follower: pods }),
  ];
  if (!wholeCluster) return informers;
  const all = { ...common, query: {}, what: 'namespaces', path: paths.namespaces() };
  return [...informers, createInformer<Namespace>({ ...all, trim: trimObject, follower: open.follower })];
};

/** Resolves when everything has been listed once. */
export const openClusterView = async (parts: ClusterViewParts): Promise<ClusterView> => {
  const { api, hub, wholeCluster, reach } = parts;
  const { now, defaultNamespace } = parts.settings;
  const listeners = createPodListeners();
  const onChange = (): void => functions.reconsider();
  const open = createOpenNamespaces({ api, defaultNamespace, wholeCluster, onChange });
  const functions: Functions = new Functions({ hub, reach, now, isOpen: open.has, onPod: listeners.tell });
  const informers = startInformers(parts, functions, open);
  await Promise.all(informers.map((informer) => informer.synced));
  return {
    functions,
    open,
    onPods: listeners.add,
    staleMs: () => Math.max(...informers.map((informer) => informer.staleMs())),
    close: async () => {
      await Promise.all(informers.map((informer) => informer.close()));
      functions.close();
    },
  };
};
