// What faas-cli sends, byte for byte, and what it takes as success: recorded from an unmodified one.

export type Exchange = {
  /** The command that sends it. */
  readonly command: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly expected: number;
  /** What it reads from the answer. */
  readonly answer?: RegExp;
};

const deployment = (service: string, image: string, more = ''): string =>
  `{"service":"${service}","image":"${image}"${more},"labels":{},"annotations":{}}`;

const functionsOf = (image: string): Exchange[] => [
  { command: 'login', method: 'GET', path: '/system/functions', expected: 200, answer: /^\[\]\n?$/ },
  {
    command: 'deploy: update first',
    method: 'PUT',
    path: '/system/functions',
    body: deployment('x', image),
    expected: 404,
  },
  { command: 'deploy: then create', method: 'POST', path: '/system/functions', body: deployment('x', image), expected: 202 },
  { command: 'deploy again', method: 'PUT', path: '/system/functions', body: deployment('x', image), expected: 202 },
  { command: 'deploy --update=false', method: 'POST', path: '/system/functions', body: deployment('x', image), expected: 409 },
  {
    command: 'deploy --replace --update=false: remove first',
    method: 'DELETE',
    path: '/system/functions',
    body: '{"functionName":"x"}',
    expected: 202,
  },
  {
    command: 'deploy --replace --update=false: then create, with the fprocess of a template',
    method: 'POST',
    path: '/system/functions',
    body: deployment('x', image, ',"envProcess":"node index.js"'),
    expected: 202,
  },
  { command: 'list', method: 'GET', path: '/system/functions', expected: 200, answer: /"name":"x".*"replicas":1/ },
  { command: 'describe x', method: 'GET', path: '/system/function/x?usage=1', expected: 200, answer: /"name":"x"/ },
  { command: 'describe none', method: 'GET', path: '/system/function/none?usage=1', expected: 404 },
  { command: 'ready', method: 'GET', path: '/healthz', expected: 200 },
  { command: 'version', method: 'GET', path: '/system/info', expected: 200, answer: /"provider":\{.*"version":\{/ },
  { command: 'logs x --tail=false', method: 'GET', path: '/system/logs?follow=false&name=x&tail=-1', expected: 200 },
];

const resources: readonly Exchange[] = [
  { command: 'secret create', method: 'POST', path: '/system/secrets', body: '{"name":"q","value":"v"}', expected: 202 },
  { command: 'secret create again', method: 'POST', path: '/system/secrets', body: '{"name":"q","value":"v"}', expected: 409 },
  { command: 'secret list', method: 'GET', path: '/system/secrets', expected: 200, answer: /^\[\{"name":"q"[^v]*\}\]\n?$/ },
  { command: 'secret update', method: 'PUT', path: '/system/secrets', body: '{"name":"q","value":"w"}', expected: 202 },
  { command: 'secret update none', method: 'PUT', path: '/system/secrets', body: '{"name":"n","value":"w"}', expected: 404 },
  { command: 'secret remove', method: 'DELETE', path: '/system/secrets', body: '{"name":"q"}', expected: 202 },
  { command: 'secret remove again', method: 'DELETE', path: '/system/secrets', body: '{"name":"q"}', expected: 404 },
  { command: 'namespaces', method: 'GET', path: '/system/namespaces', expected: 200, answer: /^\["openfaas-fn"\]\n?$/ },
  {
    command: 'namespace create n2 --label a=b',
    method: 'POST',
    path: '/system/namespace/',
    body: '{"name":"n2","annotations":{"openfaas":"1"},"labels":{"a":"b","openfaas":"1"}}',
    expected: 201,
  },
  { command: 'namespace get n2', method: 'GET', path: '/system/namespace/n2', expected: 200, answer: /"a":"b"/ },
  {
    command: 'namespace update n2 --label a=c',
    method: 'PUT',
    path: '/system/namespace/n2',
    body: '{"name":"n2","annotations":{"openfaas":"1"},"labels":{"a":"c","openfaas":"1"}}',
    expected: 202,
  },
  {
    command: 'namespace delete n2',
    method: 'DELETE',
    path: '/system/namespace/n2',
    body: '{"name":"n2","labels":{"openfaas":"1"}}',
    expected: 202,
  },
  { command: 'namespace get n2', method: 'GET', path: '/system/namespace/n2', expected: 404 },
];

const end: readonly Exchange[] = [
  { command: 'invoke x', method: 'POST', path: '/function/x.openfaas-fn', body: 'hi', expected: 200, answer: /^got hi$/ },
  { command: 'invoke -a x', method: 'POST', path: '/async-function/x.openfaas-fn', body: 'hi', expected: 404 },
  { command: 'remove x', method: 'DELETE', path: '/system/functions', body: '{"functionName":"x"}', expected: 202 },
  { command: 'remove x again', method: 'DELETE', path: '/system/functions', body: '{"functionName":"x"}', expected: 404 },
];

/** A whole session in order, on an empty gateway. @param image of a function that answers `got <body>` */
export const faasCliSession = (image: string): readonly Exchange[] => [...functionsOf(image), ...resources, ...end];
