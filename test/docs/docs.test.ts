import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { parseStack } from '../../cli/stack/parse.ts';
import { routeDocs } from '../../gateway/api/openapi-docs.ts';
import { createFunctionMetrics } from '../../gateway/metrics/function-series.ts';
import { functionText } from '../../gateway/metrics/function-text.ts';
import { createControlMetrics } from '../../gateway/metrics/registry.ts';
import { gatewaySettings, type Setting } from '../../gateway/settings.ts';
import { generated, outputOf, renew } from '../../scripts/docs.ts';
import { anchorsOf, blocksOf, readPage, readPages, root, withoutBlocks } from './pages.ts';

test('every relative link leads to a file, and to a heading of it', async () => {
  const broken: string[] = [];
  for (const page of await readPages()) {
    for (const [, link = ''] of withoutBlocks(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path = '', anchor] = link.split('#', 2);
      const file = path === '' ? page.file : normalize(join(dirname(page.file), path));
      if (!existsSync(`${root}${file}`)) broken.push(`${page.file}: ${link}: no such file`);
      else if (anchor !== undefined && !anchorsOf(await readPage(file)).includes(anchor)) {
        broken.push(`${page.file}: ${link}: no such heading`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

test('every path of the repository that a page names exists', async () => {
  const folders = /^(?:gateway|provider|watchdog|cli|templates|test|bench|docs|scripts|bin|dist|\.ci)\/[\w./-]*$/;
  const missing: string[] = [];
  let seen = 0;
  for (const page of await readPages()) {
    for (const [, name = ''] of withoutBlocks(page).matchAll(/`([^`\n]+)`/g)) {
      if (!folders.test(name)) continue;
      seen += 1;
      if (!existsSync(`${root}${name}`)) missing.push(`${page.file}: ${name}`);
    }
  }
  assert.ok(seen > 50, `only ${seen} paths found`);
  assert.deepEqual(missing, []);
});

test('the generated parts are as `npm run docs` writes them', async () => {
  for (const [file, make] of Object.entries(generated)) {
    const { text } = await readPage(file);
    assert.equal(text, await renew(text, make), `${file} is out of date: npm run docs`);
  }
});

test('docs/configuration.md has every flag and every variable of the gateway', async () => {
  const { text } = await readPage('docs/configuration.md');
  for (const row of Object.values(gatewaySettings) as Setting<unknown>[]) {
    for (const name of [`--${row.flag}`, ...row.env]) assert.ok(text.includes(`\`${name}\``), name);
  }
});

/** The arguments of every `sluice …` in a shell example. */
const sluiceCalls = (code: string): string[][] =>
  code
    .replaceAll('\\\n', ' ')
    .split(/\n|\$\(|\||&&|;/)
    .map((part) => part.trim().replace(/\).*$/, ''))
    .filter((part) => part.startsWith('sluice '))
    .map((part) => part.split(/\s+/).slice(1));

test('every command and flag of `sluice` in an example exists', async () => {
  const shared = ['-f', '--yaml', '--regex', '--filter', '--help'];
  const unknown: string[] = [];
  let seen = 0;
  for (const page of await readPages()) {
    for (const { info, code } of blocksOf(page)) {
      if (info !== 'sh') continue;
      for (const words of sluiceCalls(code)) {
        seen += 1;
        const path = ['secret', 'namespace'].includes(words[0] ?? '') ? words.slice(0, 2) : words.slice(0, 1);
        const help = await outputOf([...path, '--help']);
        if (!help.startsWith(`Usage: sluice ${path.join(' ')}`)) unknown.push(`${page.file}: sluice ${words.join(' ')}`);
        for (const word of words) {
          const flag = /^(--?[a-z][a-z-]*)/.exec(word)?.[1];
          if (flag === undefined || shared.includes(flag)) continue;
          if (!help.split(/[\s,]+/).includes(flag)) unknown.push(`${page.file}: sluice ${words.join(' ')}: ${flag}`);
        }
      }
    }
  }
  assert.ok(seen > 30, `only ${seen} commands found`);
  assert.deepEqual(unknown, []);
});

test("commands that run TypeScript name the Node.js that can, not the machine's own", async () => {
  const found: string[] = [];
  for (const page of await readPages()) {
    for (const { code } of blocksOf(page)) {
      for (const line of code.split('\n')) if (/^node .*\.ts\b/.test(line)) found.push(`${page.file}: ${line}`);
    }
  }
  assert.deepEqual(found, []);
});

test('docs/api.md has every route of the control API', async () => {
  const { text } = await readPage('docs/api.md');
  for (const route of Object.keys(routeDocs)) {
    const shown = [route.replace(':name', '{name}'), route.replace(':name', '{sha256}')];
    assert.ok(
      shown.some((each) => text.includes(`\`${each}\``)),
      route,
    );
  }
});

test('docs/metrics.md has every metric, and no other', async () => {
  const text = `${await createControlMetrics('x', () => 0).text()}${[...functionText(createFunctionMetrics())].join('')}`;
  const real = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1] ?? '');
  const rows = (await readPage('docs/metrics.md')).text.split('\n').filter((line) => line.startsWith('| `'));
  const told = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''));
  assert.deepEqual(told.sort(), real.sort());
});

test('docs/watchdog.md has every variable that the watchdog reads', async () => {
  const source = await readFile(`${root}watchdog/config.ts`, 'utf8');
  const { text } = await readPage('docs/watchdog.md');
  const names = [...source.matchAll(/(?:read\.\w+\('|\benv\.)(\w+)/g)].map((match) => match[1] ?? '');
  assert.ok(names.length > 20, names.join());
  // One says where temporary files go, the other is refused.
  const elsewhere = ['TMPDIR', 'jwt_auth'];
  for (const name of names) assert.ok(elsewhere.includes(name) || text.includes(`\`${name}\``), name);
});

test('docs/deploy.md has every key of a stack file, and its example is a valid one', async () => {
  const page = await readPage('docs/deploy.md');
  const source = await readFile(`${root}cli/stack/parse.ts`, 'utf8');
  const list = /const functionKeys = \[([^\]]*)\]/.exec(source)?.[1] ?? '';
  const keys = [...list.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '');
  assert.ok(keys.length > 10, keys.join());
  for (const key of keys) assert.match(page.text, new RegExp(`\`${key}[\`.]`), key);
  const example = blocksOf(page).find((block) => block.info === 'yaml')?.code ?? '';
  const stack = parseStack(example, 'stack.yaml');
  assert.deepEqual(stack.warnings, []);
  assert.equal(stack.functions.length, 1);
});
