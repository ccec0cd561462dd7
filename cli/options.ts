// Flags that several commands share, under faas-cli's names.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../provider/types/duration.ts';

/** Flags of the program itself, in front of or behind the command's name. */
export type GlobalOptions = { readonly yaml?: string; readonly regex?: string; readonly filter?: string };

export type GatewayOptions = { readonly gateway?: string; readonly token?: string; readonly tlsNoVerify: boolean };
export type NamespaceOption = { readonly namespace?: string };
export type OutputOption = { readonly output: 'text' | 'json'; readonly json: boolean };
export type StackOption = { readonly envsubst: boolean };

/** A switch that `--name`, `--name=false` and `--no-name` set. */
export const addSwitch = (command: Command, flags: string, doc: string, preset = false): Command => {
  const option = new Option(flags, preset ? `${doc} (on; turn off with =false)` : doc);
  const opposite = new Option(`--no-${option.name()}`).hideHelp();
  command.addOption(option).addOption(opposite);
  // Why after: commander presets the positive attribute to true when it sees a lone --no- flag.
  return command.setOptionValueWithSource(option.attributeName(), preset, 'default');
};

/** A flag that may be given several times. */
export const addList = (command: Command, flags: string, doc: string): Command =>
  command.addOption(
    new Option(flags, doc).argParser((value: string, all: string[] | undefined) => [...(all ?? []), value]).default([], 'none'),
  );

/** Milliseconds from a Go duration such as `90s`. */
export const parseMs = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0) throw new InvalidArgumentError('Expected a duration such as 90s or 5m.');
  return ms;
};

export const parseCount = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of 0 or more.');
  return Number(text);
};

export const addDuration = (command: Command, flags: string, doc: string, preset: string): Command =>
  command.addOption(new Option(flags, doc).argParser(parseMs).default(parseDuration(preset), preset));

export const gatewayOptions = (command: Command): Command => {
  command
    .option('-g, --gateway <url>', 'gateway (else the stack file, $OPENFAAS_URL, http://127.0.0.1:8080)')
    .option('-k, --token <token>', 'bearer token to use instead of the stored login');
  return addSwitch(command, '--tls-no-verify', 'accept any TLS certificate');
};

export const namespaceOption = (command: Command): Command =>
  command.option('-n, --namespace <name>', 'namespace of the function');

/** @param short whether `-o` is free for it */
export const outputOption = (command: Command, short = true): Command => {
  const flags = short ? '-o, --output <format>' : '--output <format>';
  const option = new Option(flags, 'text for people or json for programs').choices(['text', 'json']).default('text');
  return addSwitch(command.addOption(option), short ? '-j, --json' : '--json', 'the same as --output json');
};

export const wantsJson = (options: OutputOption): boolean => options.json || options.output === 'json';

export const stackOption = (command: Command): Command =>
  addSwitch(command, '--envsubst', 'replace variables in braces in the stack file', true);
