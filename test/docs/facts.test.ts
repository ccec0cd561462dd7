// Every fact of the gateway's contract is held by a test that names it, or is a row in docs/compatibility.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lastFact = 150;

/** `1, 3 and 5 to 7` or `1, 3, 5-7` as numbers; sections such as `4.1` are none. */
const toNumbers = (text: string): number[] =>
  text.split(/,| and /).flatMap((part) => {
    const match = /^\s*(\d+)(?:(?: to |-|–)(\d+))?\s*$/.exec(part);
    if (match === null) return [];
    const first = Number(match[1]);
    return Array.from({ length: Number(match[2] ?? first) - first + 1 }, (_, index) => first + index);
  });

/** The numbers in the titles of a test file: `fact 5: …`, `facts 5, 6 and 8 to 9: …`, with the suite's name before or not. */
const numbersInTitles = (source: string): number[] =>
  [...source.matchAll(/[`'"](?:cli |\$\{name\}: )?facts? (\d[\d, toand]*): /g)].flatMap((match) => toNumbers(match[1] ?? ''));

const testFiles = async (): Promise<ReadonlyMap<string, string>> => {
  const files = new Map<string, string>();
  for await (const path of glob('test/**/*.ts', { cwd: root }))
    files.set(relative('test', path), readFileSync(`${root}/${path}`, 'utf8'));
  return files;
};

/** Tests of the other contracts name the numbers of those. */
const isOfGateway = (file: string): boolean => /^(gateway|provider|conformance|memory|e2e|timed|deploy|real)\//.test(file);

const document = readFileSync(`${root}/docs/compatibility.md`, 'utf8');
const sections = new Map(document.split(/^## /m).map((text) => [text.split('\n')[0] ?? '', text]));

const rowsOf = (section: string): string[][] =>
  (sections.get(section) ?? '')
    .split('\n')
    .filter((line) => line.startsWith('|') && !line.startsWith('|--') && !line.startsWith('| fact '))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );

test('every fact of the contract is in the title of a test or in a row of docs/compatibility.md', async () => {
  const found = new Set([...rowsOf('Not built yet'), ...rowsOf('The gateway')].flatMap((row) => toNumbers(row[0] ?? '')));
  for (const [file, source] of await testFiles()) {
    if (isOfGateway(file)) for (const number of numbersInTitles(source)) found.add(number);
  }
  const missing = Array.from({ length: lastFact }, (_, index) => index + 1).filter((number) => !found.has(number));
  assert.deepEqual(missing, []);
});

test('every test that docs/compatibility.md names exists, and has the facts that it is named for', async () => {
  const files = await testFiles();
  const named = [...document.matchAll(/`(?:test\/)?([\w./-]+\.test\.ts)`(?:: facts? (\d[\d, toand]*))?/g)];
  assert.ok(named.length > 100, `${named.length}`);
  for (const [text, name = '', facts = ''] of named) {
    const found = [...files].filter(([file]) => file === name || file.endsWith(`/${name}`));
    assert.notDeepEqual(found, [], `${text}: there is no such test`);
    const has = new Set(found.flatMap(([, source]) => numbersInTitles(source)));
    for (const number of toNumbers(facts)) assert.ok(has.has(number), `${text}: no title has fact ${number}`);
  }
});

test('every row of docs/compatibility.md says what OpenFaaS does and what Sluice does', () => {
  for (const section of ['The gateway', 'The watchdog', 'The command', 'Templates and builds']) {
    const rows = rowsOf(section);
    assert.ok(rows.length > 10, section);
    for (const row of rows) assert.ok(row.length === 5 && row.slice(0, 3).every((cell) => cell !== ''), row.join(' | '));
  }
});
