// /system/functions, /system/function/NAME and /system/scale-function/NAME.
import { FaasError } from '../../provider/types/errors.ts';
import type { FunctionDeployment, FunctionStatus } from '../../provider/types/function.ts';
import { type Client, expectStatus, failureOf, parseBody, type Reply } from './client.ts';
import { namespaceHint } from './namespace-hint.ts';

const accepted = [200, 201, 202];

/** The list as it was received. */
export const listFunctions = async (client: Client, namespace: string | undefined): Promise<FunctionStatus[]> => {
  const what = 'listing functions';
  const reply = await client.call('GET', '/system/functions', { query: { namespace } });
  // No gateway has another place for them: this is the metrics port, say.
  if (reply.status === 404) throw new FaasError('upstream', `${what}: ${client.gateway} answered 404, is it a function gateway?`);
  expectStatus(client, reply, [200], what);
  const list = parseBody(client, reply, what) ?? [];
  if (!Array.isArray(list)) throw new FaasError('upstream', `${what}: expected a list from ${client.gateway}`);
  return list as FunctionStatus[];
};

/** `undefined` when there is no such function. @param wishes.usage what it uses of the machine, too */
export const findFunction = async (
  client: Client,
  name: string,
  namespace: string | undefined,
  wishes: { readonly usage: boolean } = { usage: false },
): Promise<FunctionStatus | undefined> => {
  const what = `looking up ${name}`;
  const query = { usage: wishes.usage ? '1' : undefined, namespace };
  const reply = await client.call('GET', `/system/function/${encodeURIComponent(name)}`, { query });
  if (reply.status === 404) return undefined;
  expectStatus(client, reply, [200], what);
  return parseBody(client, reply, what) as FunctionStatus;
};

export type DeployOptions = { readonly update: boolean; readonly replace: boolean; readonly timeoutMs: number };

const put = async (client: Client, deployment: FunctionDeployment, options: DeployOptions): Promise<Reply> => {
  const call = { json: deployment, timeoutMs: options.timeoutMs };
  if (options.update && !options.replace) {
    const reply = await client.call('PUT', '/system/functions', call);
    if (reply.status !== 404) return reply;
  }
  if (options.replace) {
    const { service: functionName, namespace } = deployment;
    const reply = await client.call('DELETE', '/system/functions', { ...call, json: { functionName, namespace } });
    if (reply.status !== 404) expectStatus(client, reply, accepted, `replacing ${functionName}`);
  }
  return client.call('POST', '/system/functions', call);
};

/** Updates or creates a function; resolves to the status code. @throws what the gateway says against it */
export const deployFunction = async (client: Client, deployment: FunctionDeployment, options: DeployOptions): Promise<number> => {
  const reply = await put(client, deployment, options);
  expectStatus(client, reply, accepted, `deploying ${deployment.service}`);
  return reply.status;
};

/** @throws not-found */
export const removeFunction = async (client: Client, name: string, namespace: string | undefined): Promise<void> => {
  const reply = await client.call('DELETE', '/system/functions', { json: { functionName: name, namespace } });
  if (reply.status === 404)
    throw new FaasError('not-found', `removing ${name}: there is no function ${name} to remove${namespaceHint(name)}`);
  expectStatus(client, reply, accepted, `removing ${name}`);
};

/** @throws not-found */
export const scaleFunction = async (
  client: Client,
  name: string,
  namespace: string | undefined,
  replicas: number,
): Promise<void> => {
  // Why both places: gateways read the namespace from either the query or the body.
  const reply = await client.call('POST', `/system/scale-function/${encodeURIComponent(name)}`, {
    query: { namespace },
    json: { serviceName: name, replicas, namespace },
  });
  if (reply.status === 404)
    throw new FaasError('not-found', `scaling ${name}: there is no function ${name}${namespaceHint(name)}`);
  if (!accepted.includes(reply.status)) throw failureOf(client, reply, `scaling ${name}`);
};

/** Where callers reach a function. */
export const functionUrl = (gateway: string, name: string, namespace: string | undefined, prefix = 'function'): string =>
  `${gateway}/${prefix}/${name}${namespace ? `.${namespace}` : ''}`;
