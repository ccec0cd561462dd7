// All functions of the cluster as far as they are ours: Deployments, pods and namespaces come in, from watches and from our
// own writes, and observers are told.
import { type FunctionRef, formatRef } from '../types/name.ts';
import { FunctionState, type FunctionStateParts } from './function-state.ts';
import type { Follower } from './informer.ts';
import { type Deployment, keyOf, type Pod } from './objects.ts';
import { functionOf } from './pod-facts.ts';
import { refOf } from './status.ts';
import { isOlder } from './versions.ts';

export type FunctionsParts = Omit<FunctionStateParts, 'ref'> & {
  /** Whether functions may live in that namespace. */
  readonly isOpen: (namespace: string) => boolean;
  /** Told after every change of a pod. */
  readonly onPod?: (ref: FunctionRef) => void;
};

/** Uids of what is gone are remembered until the watch says so too; a lost one costs a few bytes. */
const maxRemembered = 10_000;

const createGraveyard = () => {
  const uids = new Set<string>();
  return {
    add: (uid: string | undefined): void => {
      if (uid === undefined) return;
      if (uids.size >= maxRemembered) uids.delete(uids.values().next().value as string);
      uids.add(uid);
    },
    has: (uid: string | undefined): boolean => uid !== undefined && uids.has(uid),
    delete: (uid: string | undefined): void => {
      if (uid !== undefined) uids.delete(uid);
    },
  };
};

const functionRefOf = (pod: Pod): FunctionRef => ({ name: functionOf(pod), namespace: pod.metadata.namespace ?? '' });
const uidOf = ({ metadata }: Pod): string => metadata.uid ?? metadata.name;

export class Functions {
  readonly #parts: FunctionsParts;
  readonly #deployments = new Map<string, Deployment>();
  /** By function, then by uid. */
  readonly #pods = new Map<string, Map<string, Pod>>();
  readonly #states = new Map<string, FunctionState>();
  readonly #removed = createGraveyard();
  readonly #doomed = createGraveyard();

  constructor(parts: FunctionsParts) {
    this.#parts = parts;
  }

  readonly deployments: Follower<Deployment> = {
    replaced: (items, resourceVersion) => {
      const listed = new Set(items.map((item) => item.metadata.uid));
      for (const known of [...this.#deployments.values()]) {
        // One that we made after the list was drawn up is not in it.
        const isLater = isOlder(resourceVersion, known.metadata.resourceVersion);
        if (!listed.has(known.metadata.uid) && !isLater) this.#removeDeployment(known);
      }
      for (const item of items) this.wrote(item);
    },
    changed: (item) => this.wrote(item),
    removed: (item) => this.#removeDeployment(item),
  };

  readonly pods: Follower<Pod> = {
    replaced: (items) => {
      const listed = new Set(items.map(uidOf));
      for (const known of [...this.#pods.values()].flatMap((group) => [...group.values()])) {
        if (!listed.has(uidOf(known))) this.#removePod(known);
      }
      for (const item of items) this.#setPod(item);
    },
    changed: (item) => this.#setPod(item),
    removed: (item) => this.#removePod(item),
  };

  get(ref: FunctionRef): FunctionState | undefined {
    return this.#states.get(formatRef(ref));
  }

  /** Those that observers know. */
  present(): Iterable<FunctionState> {
    return this.#states.values();
  }

  in(namespace: string): FunctionState[] {
    return [...this.#states.values()].filter((state) => state.ref.namespace === namespace);
  }

  /** All pods that carry the function's name, those that leave included. */
  podsOf(ref: FunctionRef): Pod[] {
    return [...(this.#pods.get(formatRef(ref))?.values() ?? [])];
  }

  /** What a write of ours has made of it, ahead of the watch; or what the watch says. */
  wrote(deployment: Deployment): void {
    const { uid, resourceVersion, deletionTimestamp, namespace = '' } = deployment.metadata;
    if (this.#removed.has(uid)) return;
    const key = keyOf(deployment);
    const before = this.#deployments.get(key);
    if (before !== undefined && isOlder(resourceVersion, before.metadata.resourceVersion)) return;
    if (deletionTimestamp !== undefined) {
      this.#bury(key);
      return;
    }
    if (before !== undefined && before.metadata.uid !== uid) this.#bury(key);
    this.#deployments.set(key, deployment);
    if (this.#parts.isOpen(namespace)) this.#show(key, deployment);
  }

  /** A removal of ours, ahead of the watch. */
  dropped(ref: FunctionRef, uid: string | undefined): void {
    this.#removed.add(uid);
    const key = formatRef(ref);
    if (this.#deployments.get(key)?.metadata.uid === uid) this.#bury(key);
  }

  /** After the set of open namespaces has changed. */
  reconsider(): void {
    for (const [key, deployment] of this.#deployments) {
      const open = this.#parts.isOpen(deployment.metadata.namespace ?? '');
      if (open && !this.#states.has(key)) this.#show(key, deployment);
      else if (!open && this.#states.has(key)) this.#hide(key);
    }
  }

  close(): void {
    for (const state of this.#states.values()) state.stop();
  }

  /** A pod older than the Deployment is left over from one of the same name before. */
  #belongs(pod: Pod, deployment: Deployment): boolean {
    const isOld = (pod.metadata.creationTimestamp ?? '') < (deployment.metadata.creationTimestamp ?? '');
    return !isOld && !this.#doomed.has(pod.metadata.uid);
  }

  #show(key: string, deployment: Deployment): void {
    const known = this.#states.get(key);
    if (known !== undefined) {
      known.setDeployment(deployment);
      return;
    }
    const state = new FunctionState({ ...this.#parts, ref: refOf(deployment) });
    this.#states.set(key, state);
    state.setDeployment(deployment);
    for (const [uid, pod] of this.#pods.get(key) ?? []) if (this.#belongs(pod, deployment)) state.setPod(uid, pod);
  }

  #hide(key: string): void {
    this.#states.get(key)?.remove();
    this.#states.delete(key);
  }

  #bury(key: string): void {
    this.#deployments.delete(key);
    for (const uid of this.#pods.get(key)?.keys() ?? []) this.#doomed.add(uid);
    this.#hide(key);
  }

  #removeDeployment(deployment: Deployment): void {
    this.#removed.delete(deployment.metadata.uid);
    const key = keyOf(deployment);
    // Another of the same name may be here already.
    if (this.#deployments.get(key)?.metadata.uid === deployment.metadata.uid) this.#bury(key);
  }

  #setPod(pod: Pod): void {
    const ref = functionRefOf(pod);
    const key = formatRef(ref);
    const group = this.#pods.get(key) ?? new Map<string, Pod>();
    this.#pods.set(key, group);
    group.set(uidOf(pod), pod);
    const deployment = this.#deployments.get(key);
    if (deployment !== undefined && this.#belongs(pod, deployment)) this.#states.get(key)?.setPod(uidOf(pod), pod);
    this.#parts.onPod?.(ref);
  }

  #removePod(pod: Pod): void {
    const ref = functionRefOf(pod);
    const key = formatRef(ref);
    this.#doomed.delete(pod.metadata.uid);
    this.#pods.get(key)?.delete(uidOf(pod));
    if (this.#pods.get(key)?.size === 0) this.#pods.delete(key);
    this.#states.get(key)?.dropPod(uidOf(pod));
    this.#parts.onPod?.(ref);
  }
}
