// Reads the gateway's own description of its API.
import type { RunningGateway } from '../helpers/gateway.ts';

type Operation = { readonly responses: Readonly<Record<string, unknown>> };
export type ApiDocument = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

export const readApiDocument = async (gateway: RunningGateway): Promise<ApiDocument> =>
  JSON.parse((await gateway.control('GET', '/system/openapi.json')).text);

/** Statuses that the document gives for a request; `undefined` when it has no such operation. */
export const documentedStatuses = (document: ApiDocument, method: string, url: string): number[] | undefined => {
  const path = url.split('?')[0] ?? '';
  const exact = document.paths[path] === undefined ? undefined : path;
  const template = Object.keys(document.paths).find((each) => new RegExp(`^${each.replace('{name}', '[^/]+')}$`).test(path));
  const operation = document.paths[exact ?? template ?? '']?.[method.toLowerCase()];
  return operation === undefined ? undefined : Object.keys(operation.responses).map(Number);
};
