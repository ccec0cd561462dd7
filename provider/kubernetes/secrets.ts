// Secrets of functions as Kubernetes Secrets (OpenFaaS contract, 1.7 and 5.3). Only those that were made through OpenFaaS are
// listed and changed; functions may use any.
import type { Secrets } from '../provider.ts';
import { FaasError } from '../types/errors.ts';
import type { FunctionSpec } from '../types/function.ts';
import type { Secret as FunctionSecret } from '../types/secret.ts';
import { type KubeApi, mergePatch, paths } from './api.ts';
import { isNotFound, isTaken, toFaasError } from './errors.ts';
import type { KubeList, Secret } from './objects.ts';
import type { SecretUse } from './pod.ts';

const label = 'app.kubernetes.io/managed-by';
const owner = 'openfaas';

const pullTypes: ReadonlySet<string> = new Set(['kubernetes.io/dockercfg', 'kubernetes.io/dockerconfigjson']);

/** The key that Kubernetes wants in a pull secret; others have one named as themselves. */
const keyOf = (name: string, type: string | undefined): string => {
  if (type === 'kubernetes.io/dockerconfigjson') return '.dockerconfigjson';
  return type === 'kubernetes.io/dockercfg' ? '.dockercfg' : name;
};

const nameOf = (name: string, namespace: string): string =>
  `secret ${JSON.stringify(name)} in namespace ${JSON.stringify(namespace)}`;

/**
 * Kubernetes itself takes any JSON for a login, and nodes then pull without it.
 * @throws invalid, never repeating the value
 */
const checkLogin = (value: Buffer): void => {
  let login: { auths?: unknown } | null = null;
  try {
    login = JSON.parse(value.toString());
  } catch {
    // As good as JSON of another shape.
  }
  if (typeof login?.auths === 'object' && login.auths !== null) return;
  throw new FaasError('invalid', "value: expected docker's config.json with the key auths, got something else");
};

const toData = ({ name, value }: FunctionSecret, type: string): Record<string, string> => {
  if (type === 'kubernetes.io/dockerconfigjson') checkLogin(value);
  return { [keyOf(name, type)]: value.toString('base64') };
};

export const createSecrets = (api: KubeApi, checkNamespace: (name: string) => Promise<void>): Secrets => {
  const find = async (name: string, namespace: string): Promise<Secret> => {
    await checkNamespace(namespace);
    const what = nameOf(name, namespace);
    try {
      const secret = await api.call<Secret>('GET', paths.secrets(namespace, name));
      if (secret.metadata.labels?.[label] === owner) return secret;
    } catch (error) {
      if (!isNotFound(error)) throw toFaasError(error, what);
      throw new FaasError('not-found', `${what} does not exist`, { cause: error });
    }
    throw new FaasError('not-found', `${what} was not made through OpenFaaS: it has no label ${label}=${owner}`);
  };

  return {
    async list(namespace) {
      await checkNamespace(namespace);
      const query = { labelSelector: `${label}=${owner}` };
      try {
        const { items } = await api.call<KubeList<Secret>>('GET', paths.secrets(namespace), { query });
        return (items ?? []).map(({ metadata }) => ({ name: metadata.name, namespace }));
      } catch (error) {
        throw toFaasError(error, `secrets of namespace ${JSON.stringify(namespace)}`);
      }
    },
    async create(secret) {
      const { name, namespace, type = 'Opaque' } = secret;
      await checkNamespace(namespace);
      const body: Secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace, labels: { [label]: owner } },
        type,
        data: toData(secret, type),
      };
      try {
        await api.call('POST', paths.secrets(namespace), { body });
      } catch (error) {
        if (isTaken(error)) throw new FaasError('conflict', `${nameOf(name, namespace)} exists`, { cause: error });
        throw toFaasError(error, nameOf(name, namespace));
      }
    },
    async update(secret) {
      const { name, namespace } = secret;
      const { type = 'Opaque', data = {} } = await find(name, namespace);
      if (secret.type !== undefined && secret.type !== type) {
        const text = `type: expected ${type}, which ${nameOf(name, namespace)} has for good, got ${secret.type}`;
        throw new FaasError('invalid', text);
      }
      const others = Object.fromEntries(Object.keys(data).map((key) => [key, null]));
      const body = { data: { ...others, ...toData(secret, type) } };
      try {
        await api.call('PATCH', paths.secrets(namespace, name), { body, contentType: mergePatch });
      } catch (error) {
        throw toFaasError(error, nameOf(name, namespace));
      }
    },
    async remove({ name, namespace }) {
      const { metadata } = await find(name, namespace);
      try {
        await api.call('DELETE', paths.secrets(namespace, name), { body: { preconditions: { uid: metadata.uid } } });
      } catch (error) {
        throw toFaasError(error, nameOf(name, namespace));
      }
    },
  };
};

/**
 * What the secrets of a function are used for.
 * @throws invalid naming those that are not there
 */
export const useSecrets = async (api: KubeApi, { secrets = [], namespace }: FunctionSpec): Promise<SecretUse> => {
  const names = [...new Set(secrets)].sort();
  const types = await Promise.all(
    names.map(async (name) => {
      try {
        return (await api.call<Secret>('GET', paths.secrets(namespace, name))).type ?? 'Opaque';
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw toFaasError(error, nameOf(name, namespace));
      }
    }),
  );
  const missing = names.filter((_, index) => types[index] === undefined);
  if (missing.length > 0) {
    const list = missing.map((name) => JSON.stringify(name)).join(', ');
    throw new FaasError('invalid', `secrets: expected secrets that exist in namespace ${JSON.stringify(namespace)}, got ${list}`);
  }
  return {
    files: names.filter((_, index) => !pullTypes.has(types[index] ?? '')),
    pulls: names.filter((_, index) => pullTypes.has(types[index] ?? '')),
  };
};
