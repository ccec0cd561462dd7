// The Kubernetes provider does what every provider must do, on a real cluster.
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { createKubernetesProvider } from '../../provider/kubernetes/index.ts';
import type { Provider } from '../../provider/provider.ts';
import type { Kind } from '../conformance/kinds.ts';
import { type MakeSubject, providerConformance } from '../conformance/provider.ts';
import { type Cluster, findCluster } from './cluster.ts';
import { handlerImage } from './images.ts';
import { emptyFunctionNamespaces } from './objects.ts';

const kindImages = (cluster: Cluster): ((kind: Kind) => Promise<string>) => {
  const images = new Map<Kind, Promise<string>>();
  const make = async (kind: Kind): Promise<string> => {
    const source = await readFile(new URL(`../conformance/functions/${kind}.js`, import.meta.url), 'utf8');
    return handlerImage(cluster, kind, source, { FROM_BUNDLE: 'bundle', OVERRIDDEN: 'bundle', access_log: 'false' });
  };
  return (kind) => {
    const image = images.get(kind) ?? make(kind);
    images.set(kind, image);
    return image;
  };
};

const makeSubject = (cluster: Cluster): MakeSubject => {
  const bundleImage = kindImages(cluster);
  return async () => {
    await emptyFunctionNamespaces(cluster);
    const open = (): Promise<Provider> => createKubernetesProvider({ kubeconfig: cluster.kubeconfig, home: '/nonexistent' });
    let provider = await open();
    return {
      provider,
      bundleImage,
      unknownImage: 'No Image At All',
      reopen: async () => {
        await provider.close();
        provider = await open();
        return provider;
      },
      // The objects of pods that have ended stay for up to a minute, and the namespace with them.
      hasten: (namespace) =>
        cluster.kubectl(['delete', 'pods', '-n', namespace, '--all', '--grace-period=0', '--force', '--wait=false']),
      close: () => provider.close(),
    };
  };
};

const found = await findCluster();
if ('missing' in found) test('conformance of the Kubernetes provider', { skip: found.missing }, () => undefined);
else {
  // Each test starts with an empty cluster, and the last leaves one.
  after(() => emptyFunctionNamespaces(found.cluster));
  providerConformance('kubernetes', makeSubject(found.cluster), { takesBundles: false });
}
