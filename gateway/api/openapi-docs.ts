// What the OpenAPI document says about each route beyond what its row in the route table says.
import { z } from 'zod';
import { AlertWebhook } from '../../provider/types/alert.ts';
import { DeleteFunctionRequest, FunctionDeployment } from '../../provider/types/function.ts';
import { FunctionNamespace } from '../../provider/types/namespace.ts';
import { ScaleRequest } from '../../provider/types/scale.ts';
import { secretTypes } from '../../provider/types/secret.ts';
import { FunctionList, FunctionStatus, GatewayInfo, LogMessage, NamespaceList, SecretList } from './openapi-schemas.ts';

export type Content = { readonly schema: z.ZodType; readonly name?: string; readonly type?: string };

export type RouteDoc = {
  readonly id: string;
  readonly summary: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Content;
  /** Status of success. */
  readonly status: number;
  readonly answer?: Content;
  /** Statuses of failure besides 400 and 401. */
  readonly errors?: readonly number[];
};

const secret = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  value: z.string().optional(),
  rawValue: z.base64().optional().describe('wins over value'),
  type: z.enum(secretTypes).optional().describe('Opaque unless told'),
});
const secretBody: Content = { schema: secret, name: 'Secret' };
const secretRef: Content = { schema: secret.pick({ name: true, namespace: true }), name: 'SecretRef' };
const deployment: Content = { schema: FunctionDeployment, name: 'FunctionDeployment' };
const namespaceBody: Content = { schema: FunctionNamespace, name: 'FunctionNamespace' };
const tar: Content = { schema: z.string(), type: 'application/x-tar' };
const html: Content = { schema: z.string(), type: 'text/html' };

const createNamespace = { summary: 'Make a namespace', body: namespaceBody, status: 201, errors: [403, 409, 413] };
const getNamespace = { summary: 'Describe a namespace', status: 200, answer: namespaceBody, errors: [403, 404] };
const updateNamespace = {
  summary: "Replace a namespace's labels and annotations",
  body: namespaceBody,
  status: 202,
  errors: [403, 404, 413],
};
const removeNamespace = { summary: 'Remove a namespace with its functions and secrets', status: 202, errors: [403, 404] };

/** By method and path of the route. */
export const routeDocs: Readonly<Record<string, RouteDoc>> = {
  'GET /system/functions': {
    id: 'listFunctions',
    summary: 'List functions',
    status: 200,
    answer: { schema: FunctionList, name: 'FunctionList' },
    errors: [403],
  },
  'POST /system/functions': {
    id: 'deployFunction',
    summary: 'Deploy a function',
    body: deployment,
    status: 202,
    errors: [403, 409, 413],
  },
  'PUT /system/functions': {
    id: 'updateFunction',
    summary: 'Update a function',
    body: deployment,
    status: 202,
    errors: [403, 404, 413],
  },
  'DELETE /system/functions': {
    id: 'removeFunction',
    summary: 'Remove a function',
    body: { schema: DeleteFunctionRequest, name: 'DeleteFunctionRequest' },
    status: 202,
    errors: [403, 404, 413],
  },
  'GET /system/function/:name': {
    id: 'describeFunction',
    summary: 'Describe a function',
    query: { usage: '1 for CPU and memory in use' },
    status: 200,
    answer: { schema: FunctionStatus, name: 'FunctionStatus' },
    errors: [403, 404],
  },
  'POST /system/scale-function/:name': {
    id: 'scaleFunction',
    summary: 'Set the replicas of a function',
    body: { schema: ScaleRequest, name: 'ScaleRequest' },
    status: 202,
    errors: [403, 404, 413],
  },
  'GET /system/secrets': {
    id: 'listSecrets',
    summary: 'List secrets, without values',
    status: 200,
    answer: { schema: SecretList, name: 'SecretList' },
    errors: [403],
  },
  'POST /system/secrets': {
    id: 'createSecret',
    summary: 'Make a secret',
    body: secretBody,
    status: 202,
    errors: [403, 409, 413],
  },
  'PUT /system/secrets': {
    id: 'updateSecret',
    summary: "Replace a secret's value",
    body: secretBody,
    status: 202,
    errors: [403, 404, 413],
  },
  'DELETE /system/secrets': {
    id: 'removeSecret',
    summary: 'Remove a secret',
    body: secretRef,
    status: 202,
    errors: [403, 404, 413],
  },
  'GET /system/logs': {
    id: 'streamLogs',
    summary: "A function's log lines, one JSON object per line",
    query: {
      name: 'name of the function',
      instance: 'only this replica',
      tail: 'only so many last lines',
      follow: 'true to keep going',
      since: 'only what came after this RFC 3339 time',
    },
    status: 200,
    answer: { schema: LogMessage, name: 'LogMessage', type: 'application/x-ndjson' },
    errors: [403, 404, 422],
  },
  'GET /system/namespaces': {
    id: 'listNamespaces',
    summary: 'List namespaces',
    status: 200,
    answer: { schema: NamespaceList, name: 'NamespaceList' },
  },
  'POST /system/namespace/': { id: 'createNamespace', ...createNamespace },
  'POST /system/namespace/:name': { id: 'createNamedNamespace', ...createNamespace },
  'GET /system/namespace/:name': { id: 'getNamespace', ...getNamespace },
  'PUT /system/namespace/:name': { id: 'updateNamespace', ...updateNamespace },
  'DELETE /system/namespace/:name': { id: 'removeNamespace', ...removeNamespace },
  'POST /system/namespaces/': { id: 'createNamespaceByPlural', ...createNamespace },
  'POST /system/namespaces/:name': { id: 'createNamedNamespaceByPlural', ...createNamespace },
  'GET /system/namespaces/:name': { id: 'getNamespaceByPlural', ...getNamespace },
  'PUT /system/namespaces/:name': { id: 'updateNamespaceByPlural', ...updateNamespace },
  'DELETE /system/namespaces/:name': { id: 'removeNamespaceByPlural', ...removeNamespace },
  'GET /system/info': {
    id: 'showInfo',
    summary: 'Versions and capabilities',
    status: 200,
    answer: { schema: GatewayInfo, name: 'GatewayInfo' },
  },
  'POST /system/alert': {
    id: 'handleAlert',
    summary: "Alertmanager's webhook: scale the functions that it names",
    body: { schema: AlertWebhook, name: 'AlertWebhook' },
    status: 200,
    errors: [413, 500],
  },
  'GET /system/telemetry': { id: 'showTelemetry', summary: 'Not available', status: 404 },
  'GET /system/openapi.json': { id: 'showOpenApi', summary: 'This document', status: 200, answer: { schema: z.looseObject({}) } },
  'HEAD /system/bundles/:name': { id: 'hasBundle', summary: 'Is this bundle here?', status: 200, errors: [404, 501] },
  'PUT /system/bundles/:name': {
    id: 'putBundle',
    summary: 'Upload a bundle; its name is the sha256 of its bytes',
    body: tar,
    status: 201,
    errors: [413, 501],
  },
  'GET /healthz': { id: 'showHealth', summary: 'May the gateway get calls?', status: 200, errors: [502, 503] },
  'GET /': { id: 'toPage', summary: 'Redirect to the page', status: 307 },
  'GET /ui/': { id: 'showPage', summary: 'The functions as a page', status: 200, answer: html, errors: [403] },
};
