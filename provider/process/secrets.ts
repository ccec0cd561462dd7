// Secrets: kept in the store, and in the running replicas that have them.
import type { Secrets } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import type { Secret } from '../types/secret.ts';
import type { Functions } from './functions.ts';
import type { Log } from './log.ts';
import type { Store } from './store/store.ts';

export const createSecrets = (parts: { store: Store; functions: Functions; log: Log }): Secrets => {
  const { store, functions, log } = parts;

  const checkNamespace = (name: string): void => {
    if (!store.namespaces().some((namespace) => namespace.name === name)) {
      throw new FaasError('invalid', `namespace: expected a namespace that exists, got ${JSON.stringify(name)}`);
    }
  };

  const checkType = ({ type = 'Opaque' }: Secret): void => {
    if (type === 'Opaque') return;
    throw new FaasError('invalid', `type: expected Opaque, got ${type}: functions on this machine have no images to pull`);
  };

  const handOut = ({ name, namespace, value }: Secret): void => {
    for (const supervisor of functions.supervisors()) {
      if (supervisor.ref.namespace !== namespace) continue;
      try {
        supervisor.secretChanged(name, value);
      } catch (error) {
        log.error({ err: error, secret: name, function: supervisor.ref }, 'a running replica keeps the old value of a secret');
      }
    }
  };

  return {
    list: async (namespace) => {
      checkNamespace(namespace);
      return store.secretNames(namespace).map(({ name }) => ({ name, namespace }));
    },
    create: async (secret) => {
      checkNamespace(secret.namespace);
      checkType(secret);
      await store.createSecret(secret);
      handOut(secret);
    },
    update: async (secret) => {
      checkNamespace(secret.namespace);
      checkType(secret);
      await store.updateSecret(secret);
      handOut(secret);
    },
    remove: async (ref) => {
      checkNamespace(ref.namespace);
      await store.removeSecret(ref);
    },
  };
};
