import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApp } from '../app-under-test.ts';

type Operation = {
  operationId: string;
  parameters: { name: string; in: string }[];
  responses: Record<string, { description: string }>;
  requestBody?: { content: Record<string, unknown> };
  security: unknown[];
};
type Document = {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
};

const references = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : references(inner)));
};

test('the OpenAPI document describes every route, with nothing left open', async (t) => {
  const app = await startApp(t);
  const answer = await app.ask('GET', '/system/openapi.json');
  assert.equal(answer.status, 200);
  const document: Document = JSON.parse(answer.text);
  assert.equal(document.openapi, '3.1.0');
  assert.equal(document.info.version, '1.2.3');
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  assert.ok(operations.length >= 30);
  const ids = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { path, method, operation } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const declared = operation.parameters.filter((each) => each.in === 'path').map((each) => each.name);
    assert.deepEqual(declared, inPath, `${method} ${path}`);
    assert.ok(Object.keys(operation.responses).every((status) => /^[1-5]\d\d$/.test(status)));
    assert.ok(Object.values(operation.responses).every((response) => response.description !== ''));
  }
  for (const reference of references(document)) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1];
    assert.ok(name !== undefined && name in document.components.schemas, reference);
  }
});

test('every route of the table is in the document, and nothing else', async (t) => {
  const app = await startApp(t);
  const document: Document = JSON.parse((await app.ask('GET', '/system/openapi.json')).text);
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // The page has no files beside it: its wildcard is a 404 with the page's headers.
  const routes = app.routes.filter(({ path }) => !path.includes('*'));
  assert.deepEqual(described.sort(), routes.map(({ method, path }) => `${method} ${path.replace(':name', '{name}')}`).sort());
});

test('only the public routes of the document are without security', async (t) => {
  const app = await startApp(t);
  const document: Document = JSON.parse((await app.ask('GET', '/system/openapi.json')).text);
  const open = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => operation.security.length === 0)
      .map(([method]) => `${method} ${path}`),
  );
  assert.deepEqual(open.sort(), ['get /', 'get /healthz']);
});

test('the schema of a deployment in the document is the one that requests are checked with', async (t) => {
  const app = await startApp(t);
  const document = JSON.parse((await app.ask('GET', '/system/openapi.json')).text);
  const deployment = document.components.schemas.FunctionDeployment;
  assert.deepEqual(deployment.required, ['service', 'image']);
  assert.ok('readOnlyRootFilesystem' in deployment.properties);
  assert.deepEqual(document.components.schemas.ScaleRequest.properties.replicas.maximum, 100_000);
});
