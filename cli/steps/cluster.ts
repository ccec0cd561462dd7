// The Kubernetes cluster that `install` and `uninstall` work on; the only file of the command that uses the provider's client.
import type { Deployment, KubeList, Pod } from '../../provider/kubernetes/objects.ts';
import { FaasError } from '../../provider/types/errors.ts';
import type { Context } from '../context.ts';
import { type Manifest, nameOf, pathOf } from './manifests.ts';

export type { Deployment } from '../../provider/kubernetes/objects.ts';

export type InstallTarget = {
  readonly server: string;
  /** `policy/v1`, or `policy/v1beta1`. */
  readonly policyVersion: string;
  /** Makes it, or makes it what it should be. */
  apply(manifest: Manifest): Promise<void>;
  /** `undefined` when it is not there. */
  find<Found>(path: string): Promise<Found | undefined>;
  /** False when it was not there. */
  remove(manifest: Manifest): Promise<boolean>;
  /** As far as Kubernetes says. @param selector finds its pods by their labels */
  whyNotReady(deployment: Deployment, selector: string): Promise<string>;
  close(): Promise<void>;
};

/** @throws invalid without a usable kubeconfig; unavailable when the cluster does not answer */
export const openInstallTarget = async (ctx: Context, kubeconfig: string | undefined): Promise<InstallTarget> => {
  // Why only here: loading the client takes longer than any other command.
  const { createKubeApi, findCluster } = await import('../../provider/kubernetes/client.ts');
  const { isNotFound, toFaasError } = await import('../../provider/kubernetes/errors.ts');
  const { applyPatch, paths } = await import('../../provider/kubernetes/api.ts');
  const { failureOf } = await import('../../provider/kubernetes/failure.ts');
  const cluster = await findCluster({ kubeconfig: kubeconfig || ctx.env.KUBECONFIG, home: ctx.home });
  const api = createKubeApi(cluster);

  const call = async <Answer>(what: string, work: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof FaasError || isNotFound(error) ? error : toFaasError(error, what);
    }
  };
  const optional = async <Answer>(what: string, work: () => Promise<Answer>): Promise<Answer | undefined> => {
    try {
      return await call(what, work);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const versions = await optional(`Kubernetes at ${cluster.server}`, () =>
    api.call<{ versions: readonly { groupVersion: string }[] }>('GET', '/apis/policy', { signal: ctx.signal }),
  );
  const hasV1 = versions?.versions.some(({ groupVersion }) => groupVersion === 'policy/v1') ?? false;
  return {
    server: cluster.server,
    policyVersion: hasV1 ? 'policy/v1' : 'policy/v1beta1',
    apply: async (manifest) => {
      const query = { fieldManager: 'sluice', force: true };
      await call(nameOf(manifest), () =>
        api.call('PATCH', pathOf(manifest), { body: manifest, contentType: applyPatch, query, signal: ctx.signal }),
      );
    },
    find: (path) => optional(path, () => api.call('GET', path, { signal: ctx.signal })),
    remove: async (manifest) => {
      const body = { propagationPolicy: 'Foreground' };
      const options = { body, signal: ctx.signal };
      return (await optional(nameOf(manifest), () => api.call<object>('DELETE', pathOf(manifest), options))) !== undefined;
    },
    whyNotReady: async (deployment, labelSelector) => {
      const path = paths.pods(deployment.metadata.namespace);
      const list = await optional(path, () =>
        api.call<KubeList<Pod>>('GET', path, { query: { labelSelector }, signal: ctx.signal }),
      );
      const failure = failureOf(deployment, list?.items ?? []);
      return failure === undefined ? 'its pods are not ready' : `${failure.reason}: ${failure.message}`;
    },
    close: () => api.close(),
  };
};
