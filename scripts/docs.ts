// Keeps the reference tables of docs/ as the code has them: `npm run docs` writes what stands between two marks of a page.
import { readFile, writeFile } from 'node:fs/promises';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Context } from '../cli/context.ts';
import { run } from '../cli/run.ts';
import { settingsTable } from '../gateway/config.ts';
import { settings } from '../provider/types/annotations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What `sluice <argv>` prints on standard output, on a screen of 110 columns. */
export const outputOf = async (argv: readonly string[]): Promise<string> => {
  let text = '';
  const stdout = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk);
      done();
    },
  });
  const ctx: Context = {
    env: {},
    cwd: root,
    home: root,
    stdin: new PassThrough().end(),
    stdout: Object.assign(stdout, { columns: 110 }),
    stderr: new PassThrough().resume(),
    signal: new AbortController().signal,
    packageRoot: root,
    now: Date.now,
    sleep: async () => undefined,
  };
  await run(argv, ctx);
  return text;
};

/** Names of the commands that a help text lists, without aliases. */
const commandsIn = (help: string): string[] =>
  [...help.matchAll(/^ {2}([a-z]+)(?:\|[a-z]+)*(?: \[options\])?(?: [<[][^ ]+)* {2,}\S/gm)]
    .map((match) => match[1] ?? '')
    .filter((name) => name !== 'help');

const helpSections = async (path: readonly string[]): Promise<string> => {
  const help = await outputOf([...path, '--help']);
  const inner = /^Commands:$|^Functions:$/m.test(help) ? commandsIn(help.slice(help.search(/^(Commands|Functions):$/m))) : [];
  const sections = await Promise.all(inner.map((name) => helpSections([...path, name])));
  const heading = `${'#'.repeat(Math.max(3, path.length + 2))} ${['sluice', ...path].join(' ')}`;
  return `${heading}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n\n${sections.join('')}`;
};

const functionSettings = (): string => {
  const rows = settings.map(
    (each) =>
      `| \`${each.key}\` | ${each.on} | ${each.kind} | ${each.default === '' ? '' : `\`${each.default}\``} | ${each.doc} |\n`,
  );
  return `| key | on | value | default | meaning |\n|---|---|---|---|---|\n${rows.join('')}`;
};

/** Pages with a generated part, and what makes it. */
export const generated: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/configuration.md': settingsTable,
  'docs/settings.md': functionSettings,
  'docs/cli.md': () => helpSections([]),
};

const begin = '<!-- written by npm run docs -->';
const end = '<!-- up to here -->';

/** The page with its generated part made new. @throws Error when the marks are missing */
export const renew = async (page: string, make: () => string | Promise<string>): Promise<string> => {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`expected a line ${begin} and below it a line ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${(await make()).trimEnd()}\n\n${page.slice(to)}`;
};

if (import.meta.main) {
  for (const [file, make] of Object.entries(generated)) {
    const before = await readFile(`${root}${file}`, 'utf8');
    const after = await renew(before, make);
    if (after !== before) await writeFile(`${root}${file}`, after);
    console.log(`${file}: ${after === before ? 'as it was' : 'written'}`);
  }
}
