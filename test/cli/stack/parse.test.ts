import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStack } from '../../../cli/stack/parse.ts';

const head = 'version: 1.0\nprovider:\n  name: openfaas\n  gateway: http://gw:8080\n';
const parse = (rest: string) => parseStack(head + rest, 'stack.yaml');
const only = (rest: string) => {
  const fn = parse(rest).functions[0];
  assert.ok(fn);
  return fn;
};

test('cli fact 92: scalars of environment and labels keep the text they were written with', () => {
  const written = ['1.10', 'yes', '0x10', '2020-01-01', '12:30:45', '.5', '1e3', '0o17', 'True', '"quoted"'];
  const lines = written.map((value, index) => `      K${index}: ${value}\n`).join('');
  const fn = only(`functions:\n  f:\n    image: x\n    environment:\n${lines}      NULL: null\n      TILDE: ~\n      NONE:\n`);
  const expected = Object.fromEntries(written.map((value, index) => [`K${index}`, value.replaceAll('"', '')]));
  assert.deepEqual(fn.environment, { ...expected, NULL: '', TILDE: '', NONE: '' });
});

test('multi-line texts, anchors and merge keys work as in YAML', () => {
  const fn = only(
    'functions:\n  f:\n    image: x\n    environment: &base\n      A: |\n        one\n        two\n      B: b\n    labels:\n      <<: *base\n      B: own\n    annotations: *base\n',
  );
  assert.deepEqual(fn.labels, { A: 'one\ntwo\n', B: 'own' });
  assert.deepEqual(fn.annotations, { A: 'one\ntwo\n', B: 'b' });
});

test('every key of a function is read', () => {
  const fn = only(
    `functions:
  f:
    lang: Dockerfile
    handler: ./f
    image: a/b:1
    fprocess: node x.js
    environment_file: [a.yml, b.yml]
    secrets: [one, two]
    skip_build: true
    constraints: [a==b]
    limits: {memory: 128, cpu: 100m}
    requests: {memory: 64Mi}
    readonly_root_filesystem: true
    build_options: [dev]
    build_args: {K: v}
    namespace: photos
`,
  );
  const { places, ...rest } = fn;
  assert.equal(places['limits.cpu'], 'stack.yaml:15:27');
  assert.deepEqual(rest, {
    name: 'f',
    place: 'stack.yaml:6:3',
    lang: 'dockerfile',
    handler: './f',
    image: 'a/b:1',
    fprocess: 'node x.js',
    environment: {},
    environmentFiles: ['a.yml', 'b.yml'],
    secrets: ['one', 'two'],
    skipBuild: true,
    constraints: ['a==b'],
    labels: {},
    annotations: {},
    limits: { memory: '128', cpu: '100m' },
    requests: { memory: '64Mi', cpu: undefined },
    readOnly: true,
    buildOptions: ['dev'],
    buildArgs: { K: 'v' },
    namespace: 'photos',
  });
});

const broken: [name: string, text: string, expected: RegExp][] = [
  ['a duplicate key', `${head}functions:\n  f: {}\n  f: {}\n`, /^stack\.yaml:7:3: Map keys must be unique/],
  [
    'a wrong container',
    `${head}functions:\n  f:\n    labels: [a]\n`,
    /^stack\.yaml:7:13: functions\.f\.labels: expected a mapping, got a list/,
  ],
  [
    'a list for build_args',
    `${head}functions:\n  f:\n    build_args:\n      - A=b\n`,
    /^stack\.yaml:8:7: functions\.f\.build_args: expected a mapping/,
  ],
  [
    'a text where a list belongs',
    `${head}functions:\n  f:\n    secrets: one\n`,
    /7:14: functions\.f\.secrets: expected a list, got the text "one"/,
  ],
  [
    'a quoted boolean',
    `${head}functions:\n  f:\n    readonly_root_filesystem: "true"\n`,
    /7:31: .*expected true or false without quotes, got the text "true"/,
  ],
  [
    'a bad function name',
    `${head}functions:\n  Bad_Name: {}\n`,
    /^stack\.yaml:6:3: functions: expected a name of at most 63 lower-case letters.*got "Bad_Name"/,
  ],
  ['broken YAML', `${head}functions: [\n`, /^stack\.yaml:\d+:\d+: /],
  ['a tab', 'provider:\n\tname: openfaas\n', /^stack\.yaml:2:1: /],
  ['a plain text', 'hello', /^stack\.yaml:1:1: the stack file: expected a mapping, got the text "hello"/],
];
for (const [name, text, expected] of broken) {
  test(`a stack file with ${name} is refused with file, line and column`, () => {
    assert.throws(() => parseStack(text, 'stack.yaml'), { code: 'invalid', message: expected });
  });
}

test('all problems of a stack file are told at once', () => {
  assert.throws(
    () => parse('functions:\n  A: {}\n  f: {labels: 1, skip_build: maybe}\n'),
    (error: Error) => {
      assert.equal(error.message.split('\n').length, 3);
      return true;
    },
  );
});

test('cli fact 91: the provider must be openfaas and the version the text 1.0', () => {
  assert.throws(() => parseStack('functions: {}\n', 's.yml'), /provider\.name: expected openfaas, got nothing/);
  assert.throws(() => parseStack('provider: {name: other}\n', 's.yml'), {
    message: 's.yml:1:18: provider.name: expected openfaas, got "other"',
  });
  for (const version of ['1', '1.00', '2.0']) {
    assert.throws(
      () => parseStack(`version: ${version}\nprovider: {name: openfaas}\n`, 's.yml'),
      /s\.yml:1:10: version: expected 1\.0/,
    );
  }
  assert.equal(parseStack('provider: {name: openfaas}\n', 's.yml').functions.length, 0);
});

test('unknown keys are warned about with a suggestion and do no harm', () => {
  const { warnings, functions } = parse(
    'functions:\n  f:\n    image: x\n    enviroment: {A: b}\n    limits: {mem: 1}\nx-extra: 1\n',
  );
  assert.equal(functions.length, 1);
  assert.deepEqual(warnings, [
    'stack.yaml:10:1: x-extra: unknown key, ignored; known are version, provider, functions, configuration',
    'stack.yaml:8:5: functions.f.enviroment: unknown key, ignored; did you mean environment?',
    'stack.yaml:9:14: functions.f.limits.mem: unknown key, ignored; known are memory, cpu',
  ]);
});

test('only the first document of a stack file is read', () => {
  assert.equal(parse('functions: {a: {image: x}}\n---\nfunctions: {b: {}}\n').functions.length, 1);
});

test('the order of functions is that of the file', () => {
  assert.deepEqual(
    parse('functions:\n  zz: {}\n  aa: {}\n').functions.map((fn) => fn.name),
    ['zz', 'aa'],
  );
});
