import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { build, createProject, namesOf, readTar } from './project.ts';

const handler = (body: string): Record<string, string> => ({ 'greet/handler.ts': body });

test('a type error fails the build with the file, line and column of the source', async (t) => {
  const cwd = await createProject(t, {
    ...handler(
      'import { n } from "./lib/n.ts";\nexport default async (request: Request): Promise<Response> =>\n  new Response(n + request.urll);\n',
    ),
    'greet/lib/n.ts': 'export const n: string = 1;\n',
  });
  await assert.rejects(build(cwd, { lang: 'typescript' }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'invalid');
    assert.match(error.message, /^greet: 2 type errors\n/);
    assert.match(error.message, /^greet\/handler\.ts:3:28: error TS2551: Property 'urll' does not exist on type 'Request'/m);
    assert.match(error.message, /^greet\/lib\/n\.ts:1:14: error TS2322: Type 'number' is not assignable to type 'string'/m);
    return true;
  });
});

test('built modules run as JavaScript, on the lines of their source', async (t) => {
  const cwd = await createProject(t, {
    ...handler(
      [
        'import type { Name } from "./lib/name.ts";',
        'import { greeting } from "./lib/name.ts";',
        'interface Unused {',
        '  a: string;',
        '}',
        'export default async (request: Request): Promise<Response> => {',
        '  const { late } = await import("./lib/late.mts");',
        '  const name: Name = { text: new URL(request.url).pathname };',
        '  if (name.text === "/throw") throw new Error("on line 9");',
        '  return new Response(greeting(name) + late);',
        '};',
        '',
      ].join('\n'),
    ),
    'greet/lib/name.ts':
      'export type Name = { text: string };\nexport const greeting = (name: Name): string => "hi " + name.text;\n',
    'greet/lib/late.mts': 'export const late: string = "!";\n',
  });
  const built = await build(cwd, { lang: 'typescript' });
  assert.deepEqual(await namesOf(built.file), [
    'sluice.json',
    'function',
    'function/handler.js',
    'function/lib',
    'function/lib/late.mjs',
    'function/lib/name.js',
    'function/package.json',
  ]);
  const module = (await import(pathToFileURL(join(cwd, 'build/greet/function/handler.js')).href)) as {
    default: (request: Request) => Promise<Response>;
  };
  assert.equal(await (await module.default(new Request('http://localhost/ada'))).text(), 'hi /ada!');
  const failure = await module.default(new Request('http://localhost/throw')).catch((error: Error) => error);
  assert.match((failure as Error).stack ?? '', /handler\.js:9:37/);
});

for (const [what, source, message] of [
  ['an enum', 'enum A { b }\nexport default () => new Response(String(A.b));\n', /handler\.ts:1:6: error TS1294/],
  ['a syntax error', 'export default (=> 1;\n', /handler\.ts:1:\d+: error TS1\d+/],
  ['an unknown module', 'import x from "nowhere";\nexport default () => new Response(x);\n', /handler\.ts:1:15: error TS2307/],
  [
    'an import of a type as a value',
    'import { N } from "./n.ts";\nexport default (n: N) => new Response(n);\n',
    /handler\.ts:1:10: error TS1484/,
  ],
] as const) {
  test(`${what} fails the build`, async (t) => {
    const cwd = await createProject(t, { ...handler(source), 'greet/n.ts': 'export type N = string;\n' });
    await assert.rejects(build(cwd, { lang: 'typescript' }), { code: 'invalid', message });
  });
}

test('a JavaScript file in the way of a compiled one is refused', async (t) => {
  const cwd = await createProject(t, { 'greet/lib.ts': 'export const a = 1;\n', 'greet/lib.js': 'export const a = 2;\n' });
  await assert.rejects(build(cwd, { lang: 'typescript' }), {
    code: 'invalid',
    message: /greet\/lib\.ts: greet\/lib\.js is there too/,
  });
});

test('a JSX file is refused', async (t) => {
  const cwd = await createProject(t, { 'greet/view.tsx': 'export const a = 1;\n' });
  await assert.rejects(build(cwd, { lang: 'typescript' }), {
    code: 'invalid',
    message: /greet\/view\.tsx: .*JSX is not supported/,
  });
});

test('mistakes in test files do not stop a build, which leaves them out', async (t) => {
  const cwd = await createProject(t, { 'greet/other.test.ts': 'const a: number = "text";\n' });
  const built = await build(cwd, { lang: 'typescript' });
  assert.deepEqual(
    (await readTar(built.file)).map((entry) => entry.name).filter((name) => /test|tsconfig|\.ts$/.test(name)),
    [],
  );
});

test('web standards, node modules and process.env have types without anything installed', async (t) => {
  const cwd = await createProject(
    t,
    handler(
      [
        'import { createHash } from "node:crypto";',
        'export default (async (request) => {',
        '  const { readable, writable } = new TransformStream<Uint8Array>();',
        '  void request.body?.pipeTo(writable);',
        '  const home: string | undefined = process.env.HOME;',
        '  const id: string = crypto.randomUUID();',
        '  return new Response(readable, { headers: { id, home: home ?? "", hash: createHash("md5").digest("hex") } });',
        '}) satisfies Sluice.Handler;',
        '',
      ].join('\n'),
    ),
  );
  assert.equal((await build(cwd, { lang: 'typescript' })).config.handler, 'function/handler.js');
});

test('a tsconfig.json of the function’s own cannot let through what stripping cannot do', async (t) => {
  const cwd = await createProject(t, {
    ...handler('enum A { b }\nexport default () => new Response(String(A.b));\n'),
    'greet/tsconfig.json': JSON.stringify({ compilerOptions: { module: 'nodenext', lib: ['es2024', 'dom'], types: [] } }),
  });
  await assert.rejects(build(cwd, { lang: 'typescript' }), { code: 'invalid', message: /handler\.ts:1:6: error TS1294/ });
});

test('a tsconfig.json that cannot be read is an error of its own', async (t) => {
  const cwd = await createProject(t, { 'greet/tsconfig.json': '{"extends": "../base.json"}' });
  await assert.rejects(build(cwd, { lang: 'typescript' }), {
    code: 'invalid',
    message: /^greet: 1 type error\n.*TS5083.*base\.json/s,
  });
});
