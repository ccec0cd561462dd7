// Deployments that are refused: fields, and bodies that are no deployment at all.
import { labelRule, nameRule, post, type Row } from './row.ts';

/** Deployments that are good but for what is said. */
export const deployments = (image: string): Row[] => {
  const row = (title: string, change: object, message: string | RegExp, status = 400): Row =>
    post(title, '/system/functions', { service: 'bad', image, ...change }, status, message);
  return [
    row('an empty name', { service: '' }, `service: ${labelRule}, got ""`),
    row('a name with a capital', { service: 'My_Fn' }, `service: ${labelRule}, got "My_Fn"`),
    row('a name that is a path', { service: '../x' }, `service: ${labelRule}, got "../x"`),
    row('a name of 64 characters', { service: 'a'.repeat(64) }, `service: ${labelRule}, got "aaaa`),
    row('a name that is a number', { service: 7 }, 'service: expected a function name, got 7'),
    row('no image', { image: null }, 'image: expected an image name, got null'),
    row(
      'an ordinary image',
      { image: 'ghcr.io/openfaas/figlet:latest' },
      /^image: expected name:tag@sha256:<digest> of an uploaded bundle, got "ghcr\.io\/openfaas\/figlet:latest".*`sluice up`.*`sluice push`$/,
    ),
    row(
      'an image with a space',
      { image: `a ${image}` },
      `image: expected name:tag@sha256:<digest> of an uploaded bundle, got "a `,
    ),
    row(
      'a bundle that nobody uploaded',
      { image: `x:1@sha256:${'0'.repeat(64)}` },
      `image: there is no bundle sha256:${'0'.repeat(64)} on this gateway; upload it first with \`sluice push\``,
    ),
    row('labels that are a list', { labels: ['a'] }, 'labels: expected an object of texts, got ["a"]'),
    row('a label that is a number', { labels: { a: 1 } }, 'labels.a: expected a text, got 1'),
    row(
      'a minimum that is none',
      { labels: { 'com.openfaas.scale.min': 'many' } },
      'labels.com.openfaas.scale.min: expected a whole number of 0 or more, got "many"',
    ),
    row(
      'an annotation of ours that is misspelt',
      { annotations: { 'sluice.dev/timeot': '1s' } },
      'annotations.sluice.dev/timeot: unknown key under sluice.dev/; did you mean sluice.dev/timeout?',
    ),
    row(
      'a timeout that is none',
      { annotations: { 'sluice.dev/timeout': 'soon' } },
      'annotations.sluice.dev/timeout: expected a duration such as 90s or 15m, got "soon"',
    ),
    row(
      'our annotation as a label',
      { labels: { 'sluice.dev/timeout': '1s' } },
      'labels.sluice.dev/timeout: expected as annotation, got it as label',
    ),
    row(
      'memory of no unit',
      { limits: { memory: '1Zi' } },
      'limits.memory: expected an amount of memory such as 128Mi, got "1Zi"',
    ),
    row(
      'negative memory',
      { requests: { memory: '-1' } },
      'requests.memory: expected an amount of memory such as 128Mi, got "-1"',
    ),
    row('CPU that is a number', { limits: { cpu: 1 } }, 'limits.cpu: expected an amount of CPU such as 100m or 0.5, got 1'),
    row(
      'a secret that is missing',
      { secrets: ['none'] },
      'secrets: expected secrets that exist in namespace "openfaas-fn", got "none"',
    ),
    row('a secret that is a path', { secrets: ['../x'] }, `secrets.0: ${nameRule}, got "../x"`),
    row('a variable with NUL', { envVars: { A: 'x\0' } }, 'envVars.A: expected a text without NUL, got "x\\u0000"'),
    row(
      'a variable name with =',
      { envVars: { 'A=B': 'x' } },
      'envVars.A=B: expected a variable name without = or NUL, got "A=B"',
    ),
    row('an unknown namespace', { namespace: 'nope' }, 'namespace: expected a namespace that exists, got "nope"'),
    row('a namespace that is no name', { namespace: 'A_B' }, `namespace: ${labelRule}, got "A_B"`),
    row('a namespace of the cluster', { namespace: 'kube-system' }, /^namespace: .*kube-system/, 403),
    row(
      'a file system flag in words',
      { readOnlyRootFilesystem: 'yes' },
      'readOnlyRootFilesystem: expected true or false, got "yes"',
    ),
    row(
      'several problems',
      { service: 'A', limits: { memory: 'x' }, labels: { 'com.openfaas.scale.max': 'y' } },
      /^service: .*; limits\.memory: .*; labels\.com\.openfaas\.scale\.max: /,
    ),
    row('a function that exists', { service: 'good' }, 'function "good" exists in namespace "openfaas-fn"', 409),
  ];
};

export const bodies = (image: string): Row[] => {
  const row = (title: string, body: string, message: string | RegExp, status = 400): Row =>
    post(title, '/system/functions', body, status, message);
  return [
    row('nothing', '', 'body: expected an object, got nothing'),
    row('a text', 'hello', 'body: expected JSON, got a mistake at line 1, column 1'),
    row('a comma too many', '{"service":\n "x",}', 'body: expected JSON, got a mistake at line 2, column 6'),
    row('JSON that breaks off', '{"service":"x","image":', 'body: expected JSON, got a mistake at line 1, column 24'),
    row('a list', '[]', 'body: expected an object, got []'),
    row('a bare null', 'null', 'body: expected an object, got null'),
    row('UTF-16', Buffer.from('{"service":"x"}', 'utf16le').toString('latin1'), 'body: expected JSON'),
    row('deep JSON', '['.repeat(1_000_000), 'body: expected JSON nested at most 100 deep, got more'),
    row(
      'deep JSON in an unknown key',
      `{"service":"bad","image":"${image}","x":${'['.repeat(5000)}${']'.repeat(5000)}}`,
      'body: expected JSON nested at most 100 deep',
    ),
    row('a name of a megabyte', `{"service":"${'x'.repeat(1_000_000)}","image":"${image}"}`, /^service: .*x{70,80}\.\.\.$/),
    row(
      'a key of a megabyte',
      `{"service":"bad","image":"${image}","annotations":{"sluice.dev/${'k'.repeat(1_000_000)}":"x"}}`,
      /^annotations\.sluice\.dev\/k{60,80}\.\.\.: unknown key/,
    ),
    row('a repeated key, of which the last counts', `{"service":"bad","service":"B","image":"${image}"}`, /^service: .*"B"$/),
    row('a prototype', `{"__proto__":{"service":"bad"},"image":"${image}"}`, 'service: expected a function name, got nothing'),
    row('a body over the limit', 'x'.repeat(1_048_577), 'body: expected at most 1048576 bytes, got 1048577', 413),
    {
      ...row('a chunked body over the limit', 'x'.repeat(1_500_000), 'body: expected at most 1048576 bytes, got more', 413),
      headers: { 'Transfer-Encoding': 'chunked' },
    },
  ];
};
