// The gateway's configuration from its command line and environment: pure, complete, all mistakes at once.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { suggest } from '../provider/types/annotations.ts';
import { FaasError } from '../provider/types/errors.ts';
import { gatewaySettings, type Parsed, type Setting } from './settings.ts';

type Table = typeof gatewaySettings;
type ValueOf<Row> = Row extends { readonly parse: (text: string) => Parsed<infer Value> } ? Value : never;

/** Durations in milliseconds (`…Ms`), sizes in bytes (`…Bytes`), directories absolute. */
export type Config = { readonly [Name in keyof Table]: ValueOf<Table[Name]> };

type Env = Readonly<Record<string, string | undefined>>;

const rows = Object.entries(gatewaySettings) as [keyof Table, Setting<unknown>][];
const flags = rows.map(([, row]) => row.flag);

/** The flags of `--flag value` and `--flag=value`; the last of a repeated one wins. */
const readFlags = (argv: readonly string[], problems: string[]): Map<string, string> => {
  const found = new Map<string, string>();
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(argument);
    if (match?.[1] === undefined) {
      problems.push(`argument ${index + 1}: expected a flag such as --port, got ${JSON.stringify(argument)}`);
      continue;
    }
    const [, flag, inline] = match;
    if (!flags.includes(flag)) {
      const close = suggest(flag, flags);
      problems.push(
        `--${flag}: unknown flag${close === undefined ? `; known are --${flags.join(', --')}` : `; did you mean --${close}?`}`,
      );
      if (inline === undefined && argv[index + 1]?.startsWith('-') === false) index += 1;
      continue;
    }
    const value = inline ?? argv[index + 1];
    if (value === undefined || (inline === undefined && value.startsWith('--'))) {
      problems.push(`--${flag}: expected a value, got nothing`);
      continue;
    }
    if (inline === undefined) index += 1;
    found.set(flag, value);
  }
  return found;
};

type Given = { readonly source: string; readonly text: string };

const given = (row: Setting<unknown>, found: ReadonlyMap<string, string>, env: Env): Given => {
  const flag = found.get(row.flag);
  if (flag !== undefined) return { source: `--${row.flag}`, text: flag };
  for (const name of row.env) {
    const text = env[name];
    // An empty variable counts as unset: that is how charts and compose files leave one out.
    if (text !== undefined && text !== '') return { source: name, text };
  }
  return { source: `--${row.flag}`, text: row.default };
};

const absolute = (path: string, home: string): string => resolve(/^~(?=\/|$)/.test(path) ? join(home, path.slice(1)) : path);

/**
 * @param home the user's home directory, for `~`
 * @throws invalid naming every bad flag and variable
 */
export const readConfig = (argv: readonly string[], env: Env, home: string = env.HOME || homedir()): Config => {
  const problems: string[] = [];
  const found = readFlags(argv, problems);
  const values: Record<string, unknown> = {};
  for (const [name, row] of rows) {
    const { source, text } = given(row, found, env);
    const parsed = row.parse(text);
    if ('value' in parsed) values[name] = parsed.value;
    else problems.push(`${source}: expected ${parsed.expected}, got ${JSON.stringify(text)}`);
  }
  const { port, metricsPort } = values as Partial<Config>;
  if (port !== 0 && port !== undefined && port === metricsPort) {
    problems.push(`--metrics-port: expected another port than --port, got "${port}"`);
  }
  if (problems.length > 0) throw new FaasError('invalid', problems.join('; '));
  const config = values as Config;
  return Object.freeze({
    ...config,
    dataDir: absolute(config.dataDir, home),
    secretMountPath: config.secretMountPath === '' ? '' : absolute(config.secretMountPath, home),
    kubeconfig: config.kubeconfig === '' ? '' : absolute(config.kubeconfig, home),
  });
};

/** The flags, for `--help`. */
export const describeSettings = (): string =>
  rows.map(([, row]) => `  --${row.flag} (${row.env.join(', ')}; ${row.default || 'none'})\n      ${row.doc}`).join('\n');

/** The settings as a Markdown table, for docs/configuration.md. */
export const settingsTable = (): string => {
  const cells = rows.map(([, { flag, env, default: text, doc }]) => {
    const names = env.map((name) => `\`${name}\``).join(', ');
    return `| \`--${flag}\` | ${names} | ${text === '' ? '' : `\`${text}\``} | ${doc} |\n`;
  });
  return `| flag | environment | default | meaning |\n|---|---|---|---|\n${cells.join('')}`;
};
