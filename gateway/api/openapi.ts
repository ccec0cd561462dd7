// GET /system/openapi.json: an OpenAPI 3.1 document made from the route table and the schemas that check requests.
import { z } from 'zod';
import { FaasError } from '../../provider/types/errors.ts';
import { sendJson } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';
import { type Content, type RouteDoc, routeDocs } from './openapi-docs.ts';

type Json = Readonly<Record<string, unknown>>;

const toSchema = (schema: z.ZodType): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

const parameter = (name: string, place: 'path' | 'query', description: string): Json => ({
  name,
  in: place,
  required: place === 'path',
  description,
  schema: { type: 'string' },
});

const parametersOf = (route: Route, doc: RouteDoc): Json[] => {
  const parameters: Json[] = [];
  if (route.path.includes(':name')) parameters.push(parameter('name', 'path', 'of the resource'));
  if (route.namespace === 'query' || route.namespace === 'body') {
    parameters.push(parameter('namespace', 'query', "the gateway's default namespace when left out"));
  }
  for (const [name, description] of Object.entries(doc.query ?? {})) parameters.push(parameter(name, 'query', description));
  return parameters;
};

const errorAnswer: Json = {
  description: 'What was wrong; `X-Error-Code` has the code.',
  content: {
    'text/plain': { schema: { type: 'string' } },
    'application/json': { schema: { $ref: '#/components/schemas/Error' } },
  },
};

const errorSchema: Json = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: { code: { type: 'string' }, reason: { type: 'string' }, message: { type: 'string' } },
      required: ['code', 'message'],
    },
  },
  required: ['error'],
};

/** @throws internal when a route of the table has no documentation */
const docOf = (route: Route): RouteDoc => {
  const doc = routeDocs[`${route.method} ${route.path}`];
  if (doc === undefined) throw new FaasError('internal', `${route.method} ${route.path} has no row in openapi-docs.ts`);
  return doc;
};

const toOpenApi = (routes: readonly Route[], release: string): Json => {
  const schemas: Record<string, Json> = { Error: errorSchema };
  const toContent = ({ schema, name, type = 'application/json' }: Content): Json => {
    if (name === undefined) return { [type]: { schema: toSchema(schema) } };
    schemas[name] = toSchema(schema);
    return { [type]: { schema: { $ref: `#/components/schemas/${name}` } } };
  };
  const toOperation = (route: Route): Json => {
    const doc = docOf(route);
    const answers: Record<string, Json> = {
      [doc.status]: { description: doc.summary, ...(doc.answer === undefined ? {} : { content: toContent(doc.answer) }) },
    };
    const usual = route.action === 'public' ? [] : [400, 401];
    for (const status of [...usual, ...(doc.errors ?? [])]) answers[status] ??= errorAnswer;
    return {
      operationId: doc.id,
      summary: doc.summary,
      parameters: parametersOf(route, doc),
      ...(doc.body === undefined ? {} : { requestBody: { required: true, content: toContent(doc.body) } }),
      responses: answers,
      security: route.action === 'public' ? [] : [{ basic: [] }],
    };
  };
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes.filter((each) => !each.path.includes('*'))) {
    const path = route.path.replace(':name', '{name}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice gateway', version: release, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: { schemas, securitySchemes: { basic: { type: 'http', scheme: 'basic' } } },
  };
};

/** @param routes the table that this route stands in itself, hence a function */
export const showOpenApi =
  (routes: () => readonly Route[], release: string): Route['run'] =>
  ({ res }) =>
    sendJson(res, 200, toOpenApi(routes(), release));
