// Namespaces: rows in the store; removing one takes its functions, secrets and copies of bundles with it.
import type { Namespaces } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import type { BundleStore } from './bundles/bundles.ts';
import type { Functions } from './functions.ts';
import type { Log } from './log.ts';
import type { Store } from './store/store.ts';

export const createNamespaces = (parts: { store: Store; functions: Functions; bundles: BundleStore; log: Log }): Namespaces => {
  const { store, functions, bundles, log } = parts;
  return {
    list: async () => store.namespaces().map((namespace) => namespace.name),
    get: async (name) => {
      const found = store.namespaces().find((namespace) => namespace.name === name);
      if (found === undefined) throw new FaasError('not-found', `namespace ${JSON.stringify(name)} does not exist`);
      return found;
    },
    create: (namespace) => store.createNamespace(namespace),
    update: (namespace) => store.updateNamespace(namespace),
    remove: async (name) => {
      await store.removeNamespace(name, () => {
        functions.dropNamespace(name);
        bundles
          .removeArea(name)
          .catch((error) => log.warn({ err: error, namespace: name }, 'copies of bundles could not be removed'));
      });
    },
  };
};
