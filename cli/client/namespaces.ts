// /system/namespaces and /system/namespace/NAME.
import { FaasError } from '../../provider/types/errors.ts';
import type { FunctionNamespace } from '../../provider/types/namespace.ts';
import { type Client, expectStatus, parseBody, type Reply } from './client.ts';

const accepted = [200, 201, 202];

/** What tells a namespace of functions from others. */
const mark = { openfaas: '1' };

const pathOf = (name: string): string => `/system/namespace/${encodeURIComponent(name)}`;

const expectDone = (client: Client, reply: Reply, doing: string, name: string): void => {
  if (reply.status === 404) throw new FaasError('not-found', `${doing} namespace ${name}: there is none`);
  expectStatus(client, reply, accepted, `${doing} namespace ${name}`);
};

export const listNamespaces = async (client: Client): Promise<string[]> => {
  const what = 'listing namespaces';
  const reply = await client.call('GET', '/system/namespaces');
  expectStatus(client, reply, [200], what);
  return (parseBody(client, reply, what) ?? []) as string[];
};

const marked = (namespace: FunctionNamespace) => ({
  name: namespace.name,
  annotations: { ...namespace.annotations, ...mark },
  labels: { ...namespace.labels, ...mark },
});

/** @throws conflict when it exists */
export const createNamespace = async (client: Client, namespace: FunctionNamespace): Promise<void> => {
  const reply = await client.call('POST', '/system/namespace/', { json: marked(namespace) });
  expectDone(client, reply, 'creating', namespace.name);
};

/** @throws not-found */
export const updateNamespace = async (client: Client, namespace: FunctionNamespace): Promise<void> => {
  const reply = await client.call('PUT', pathOf(namespace.name), { json: marked(namespace) });
  expectDone(client, reply, 'updating', namespace.name);
};

/** @throws not-found */
export const getNamespace = async (client: Client, name: string): Promise<FunctionNamespace> => {
  const reply = await client.call('GET', pathOf(name));
  expectDone(client, reply, 'looking up', name);
  return parseBody(client, reply, `looking up namespace ${name}`) as FunctionNamespace;
};

/** @throws not-found */
export const removeNamespace = async (client: Client, name: string): Promise<void> => {
  const reply = await client.call('DELETE', pathOf(name), { json: { name, labels: mark } });
  expectDone(client, reply, 'removing', name);
};
