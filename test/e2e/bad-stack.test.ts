// Mistakes in stack files and flags: the command names file, line and column, and neither builds nor deploys anything.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

type Row = {
  readonly title: string;
  readonly stack?: string;
  readonly args?: readonly string[];
  /** Of standard error, `error: ` before it. */
  readonly message: string | RegExp;
};

const head = 'version: 1.0\nprovider:\n  name: openfaas\nfunctions:\n';
const fn = '  fn:\n    lang: node\n    handler: ./fn\n    image: fn:latest\n';
const labelRule = 'at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit';

const rows: readonly Row[] = [
  { title: 'no YAML', stack: `${head}  fn: [`, message: 'stack.yaml:5:8: ' },
  { title: 'a tab', stack: `${head}\tfn: {}\n`, message: /^stack\.yaml:5:1: .*[Tt]ab/ },
  {
    title: 'a key that comes twice',
    stack: `${head}${fn}    image: other\n`,
    message: 'stack.yaml:9:5: Map keys must be unique',
  },
  { title: 'a function that comes twice', stack: head + fn + fn, message: 'stack.yaml:9:3: Map keys must be unique' },
  { title: 'nothing', stack: '', message: 'stack.yaml:1:1: provider.name: expected openfaas, got nothing' },
  { title: 'a text', stack: 'hello', message: 'stack.yaml:1:1: the stack file: expected a mapping, got the text "hello"' },
  {
    title: 'another provider',
    stack: `provider:\n  name: lambda\nfunctions:\n${fn}`,
    message: 'stack.yaml:2:9: provider.name: expected openfaas, got "lambda"',
  },
  {
    title: 'another version',
    stack: `${head.replace('1.0', '"3.0"')}${fn}`,
    message: 'stack.yaml:1:10: version: expected 1.0, got "3.0"',
  },
  {
    title: 'a bad name',
    stack: head + fn.replace('fn:', 'My_Fn:'),
    message: `stack.yaml:5:3: functions: expected a name of ${labelRule}, got "My_Fn"`,
  },
  {
    title: 'a handler that is missing',
    stack: head + fn.replace('./fn', './none'),
    message: 'stack.yaml:7:5: functions.fn.handler: expected a folder, got ./none, which does not exist',
  },
  {
    title: 'a handler that is a file',
    stack: head + fn.replace('./fn', './fn/handler.js'),
    message: 'stack.yaml:7:5: functions.fn.handler: expected a folder, got ./fn/handler.js, which is a file',
  },
  {
    title: 'no handler',
    stack: head + fn.replace('./fn', ''),
    message: 'stack.yaml:7:5: functions.fn.handler: expected a folder, got nothing',
  },
  {
    title: 'no language',
    stack: head + fn.replace('    lang: node\n', ''),
    message: 'stack.yaml:5:3: functions.fn.lang: expected the name of a template, got nothing',
  },
  {
    title: 'an unknown language',
    stack: head + fn.replace('node', 'nod'),
    message:
      'stack.yaml:6:5: functions.fn.lang: no template called "nod"; there are bash, node, python3, typescript; did you mean node?',
  },
  {
    title: 'an image with capitals',
    stack: head + fn.replace('fn:latest', 'Fn:latest'),
    message: 'stack.yaml:8:5: functions.fn.image: expected a lower-case name such as registry/team/name:tag, got "Fn:latest"',
  },
  {
    title: 'a substitution that does not end',
    stack: head + fn.replace('fn:latest', '$' + '{TAG:-x'),
    message: 'stack.yaml:8: expected a closing brace',
  },
  {
    title: 'a substitution without a name',
    stack: head + fn.replace('fn:latest', `\${}`),
    message: `stack.yaml:8: expected a variable name, got "\${}"`,
  },
  {
    title: 'a text where a list belongs',
    stack: `${head}${fn}    secrets: one\n`,
    message: 'stack.yaml:9:14: functions.fn.secrets: expected a list, got the text "one"',
  },
  {
    title: 'a list where a mapping belongs',
    stack: `${head}${fn}    environment: [one]\n`,
    message: 'stack.yaml:9:18: functions.fn.environment: expected a mapping, got a list',
  },
  {
    title: 'an environment file that is missing',
    stack: `${head}${fn}    environment_file: [none.yml]\n`,
    message: 'stack.yaml:9:5: functions.fn.environment_file: cannot read none.yml: there is no such file',
  },
  {
    title: 'memory of no unit',
    stack: `${head}${fn}    limits:\n      memory: 12Zi\n`,
    message: 'stack.yaml:10:7: functions.fn.limits.memory: expected an amount of memory such as 128Mi, got "12Zi"',
  },
  {
    title: 'an annotation of ours that is misspelt',
    stack: `${head}${fn}    annotations:\n      sluice.dev/timeot: 1s\n`,
    message:
      'stack.yaml:10:7: functions.fn.annotations.sluice.dev/timeot: unknown key under sluice.dev/; did you mean sluice.dev/timeout?',
  },
  {
    title: 'a secret that is missing',
    stack: `${head}${fn}    secrets: [none]\n`,
    message: 'stack.yaml:9:5: functions.fn.secrets: expected secrets that exist in namespace "openfaas-fn", got "none"',
  },
  {
    title: 'an unknown namespace',
    stack: `${head}${fn}    namespace: nope\n`,
    message: 'stack.yaml:9:5: functions.fn.namespace: expected a namespace that exists, got "nope"',
  },
  {
    title: 'a filter without match',
    stack: head + fn,
    args: ['--filter', 'z*'],
    message: 'no function of stack.yaml matches z*; it has fn',
  },
  {
    title: 'a broken --regex',
    stack: head + fn,
    args: ['--regex', '('],
    message: '--regex: expected a regular expression, got "("',
  },
  {
    title: 'a stack file that is missing',
    stack: head + fn,
    args: ['-f', 'none.yaml'],
    message: 'cannot read the stack file none.yaml: there is no such file',
  },
];

const deployed = async (gateway: RunningGateway): Promise<unknown> =>
  JSON.parse((await gateway.control('GET', '/system/functions')).text);

test('what is wrong in a stack file is named with its place, and nothing is deployed', async (t) => {
  const gateway = await startGateway(t, { args: ['--sample=false'] });
  const home = await makeTmpDir(t);
  for (const [index, { title, stack, args = [], message }] of rows.entries()) {
    await t.test(`${title}: ${args.length === 0 ? 'file and line' : 'the flag or file'} and what was expected`, async () => {
      const cwd = join(home, String(index));
      await mkdir(join(cwd, 'fn'), { recursive: true });
      await writeFile(join(cwd, 'fn', 'handler.js'), 'module.exports = async (event, context) => context.succeed(1);\n');
      if (stack !== undefined) await writeFile(join(cwd, 'stack.yaml'), stack);
      const { code, stdout, stderr } = await gateway.sluice(['up', ...args], { cwd });
      assert.deepEqual([code, stdout], [1, ''], stderr);
      const line =
        stderr
          .split('\n')
          .find((each) => each.startsWith('error: '))
          ?.slice('error: '.length) ?? '';
      if (typeof message === 'string') assert.ok(line.startsWith(message), stderr);
      else assert.match(line, message);
      assert.doesNotMatch(stderr, /^ +at /m);
      assert.deepEqual(await deployed(gateway), []);
    });
  }
});
