import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rewriteImportPaths } from '../../../cli/build/import-paths.ts';

const rewritten: readonly (readonly [string, string, string])[] = [
  ['an import', `import { a } from './a.ts';`, `import { a } from './a.js';`],
  ['an import for its effects', `import "../b.mts"`, `import "../b.mjs"`],
  ['a re-export', `export * from './c.cts'`, `export * from './c.cjs'`],
  ['a dynamic import', `const x = await import( './a.ts' );`, `const x = await import( './a.js' );`],
  [
    'an import over several lines',
    `import {\n  a, // './no.ts'\n} from\n'./a.ts'`,
    `import {\n  a, // './no.ts'\n} from\n'./a.js'`,
  ],
  ['an import inside a template', `\`\${await import("./a.ts")} b\``, `\`\${await import("./a.js")} b\``],
  [
    'an import behind a nested template',
    `\`a\${\`b\${ {c: 1}.c }\`}\`; import "./a.ts"`,
    `\`a\${\`b\${ {c: 1}.c }\`}\`; import "./a.js"`,
  ],
  [
    'an import behind a regular expression',
    `const r = /["'\`]\\/[/"]/g; import './a.ts'`,
    `const r = /["'\`]\\/[/"]/g; import './a.js'`,
  ],
  ['an import behind a division', `const d = a / b / c; import './a.ts'`, `const d = a / b / c; import './a.js'`],
  ['an import behind a quote in a comment', `// don't\nimport './a.ts'`, `// don't\nimport './a.js'`],
  ['an attribute after it', `import d from './d.ts' with { x: 'y' }`, `import d from './d.js' with { x: 'y' }`],
];
for (const [name, source, expected] of rewritten) {
  test(`${name} points to what its module compiles to`, () => assert.equal(rewriteImportPaths(source), expected));
}

const kept: readonly (readonly [string, string])[] = [
  ['a package', `import a from 'pkg/a.ts'`],
  ['a JavaScript module', `import a from './a.js'`],
  ['a string that reads like an import', `const s = "import './a.ts'"`],
  ['a template that reads like an import', "const s = `\nimport a from './a.ts';\n`"],
  ['a comment', `/* import './a.ts' */ // from './b.ts'`],
  ['a method called import', `registry.import('./a.ts')`],
  ['another string argument', `load('./a.ts')`],
];
for (const [name, source] of kept) {
  test(`${name} stays as it is`, () => assert.equal(rewriteImportPaths(source), source));
}
