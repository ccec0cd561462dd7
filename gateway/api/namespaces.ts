// /system/namespaces and /system/namespace/{name}. Clients use the singular path to change one, the documentation shows
// the plural: both work. OpenFaaS contract, 1.9.
import type { Provider } from '../../provider/provider.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { FunctionNamespace } from '../../provider/types/namespace.ts';
import { parse } from '../../provider/types/validate.ts';
import { sendEmpty, sendJson, sendList } from '../http/json-response.ts';
import type { ControlRequest, Route } from '../http/route.ts';

type Run = Route['run'];

/** The namespace in the body, which may leave out the name that the path has but must not have another. */
const parseNamed = ({ body, name }: ControlRequest): FunctionNamespace => {
  const withName = name !== '' && typeof body === 'object' && body !== null ? { name, ...body } : body;
  const namespace = parse(FunctionNamespace, withName);
  if (name !== '' && namespace.name !== name) {
    throw new FaasError(
      'invalid',
      `name: expected ${JSON.stringify(name)} as in the path, got ${JSON.stringify(namespace.name)}`,
    );
  }
  return { name: namespace.name, labels: namespace.labels, annotations: namespace.annotations };
};

export const namespaceHandlers = (provider: Provider) => ({
  list: (async ({ res }) => {
    await sendList(res, await provider.namespaces.list());
  }) satisfies Run,

  get: (async ({ res, name }) => {
    sendJson(res, 200, await provider.namespaces.get(name));
  }) satisfies Run,

  create: (async (request) => {
    await provider.namespaces.create(parseNamed(request));
    sendEmpty(request.res, 201);
  }) satisfies Run,

  update: (async (request) => {
    await provider.namespaces.update(parseNamed(request));
    sendEmpty(request.res, 202);
  }) satisfies Run,

  /** Clients send name and labels in the body; the path says which one is meant. */
  remove: (async ({ res, name }) => {
    await provider.namespaces.remove(name);
    sendEmpty(res, 202);
  }) satisfies Run,
});
