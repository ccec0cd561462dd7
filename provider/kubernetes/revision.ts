// Which version of a function a pod runs. Kubernetes says so only through ReplicaSets, which nobody here watches: a pod
// belongs to the template whose labels, annotations and images it carries, and pods of one hash belong together.
import { digestOf } from './deployment.ts';
import type { Pod, PodTemplate, Texts } from './objects.ts';

const hashLabel = 'pod-template-hash';

const includes = (all: Texts | undefined, some: Texts | undefined): boolean =>
  Object.entries(some ?? {}).every(([key, value]) => all?.[key] === value);

export const matches = (template: PodTemplate, pod: Pod): boolean =>
  includes(pod.metadata.labels, template.metadata?.labels) &&
  includes(pod.metadata.annotations, template.metadata?.annotations) &&
  template.spec.containers.every(({ name, image }) =>
    pod.spec?.containers?.some((each) => each.name === name && each.image === image),
  );

export type Revisions = {
  /** The revision that the Deployment asks for. */
  wanted(): string;
  /** @param pods those there are; one of them may be of the template already */
  setTemplate(template: PodTemplate, pods: Iterable<Pod>): void;
  /** Never changes for a pod once it was asked for. */
  of(pod: Pod): string;
};

/** Templates and hashes that are remembered of one function. */
const maxRemembered = 50;

const remember = (map: Map<string, string>, key: string, value: string): string => {
  if (map.size >= maxRemembered) map.delete(map.keys().next().value as string);
  map.set(key, value);
  return value;
};

export const createRevisions = (): Revisions => {
  const byTemplate = new Map<string, string>();
  const byHash = new Map<string, string>();
  let current: PodTemplate | undefined;
  let wanted = '';

  const hashOf = ({ metadata }: Pod): string => metadata.labels?.[hashLabel] ?? metadata.uid ?? metadata.name;

  return {
    wanted: () => wanted,
    setTemplate(template, pods) {
      const digest = digestOf(template);
      current = template;
      wanted = byTemplate.get(digest) ?? digest;
      if (byTemplate.has(digest)) return;
      // A pod may be seen before the Deployment that asks for it.
      for (const pod of pods) {
        const known = byHash.get(hashOf(pod));
        if (known !== undefined && known === hashOf(pod) && matches(template, pod)) wanted = known;
      }
      remember(byTemplate, digest, wanted);
    },
    of(pod) {
      const hash = hashOf(pod);
      const known = byHash.get(hash);
      if (known !== undefined) return known;
      return remember(byHash, hash, current !== undefined && matches(current, pod) ? wanted : hash);
    },
  };
};
