// The configuration under deploy/ as a test can run it: the same, but for other addresses and a quicker pace.
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { packageRoot } from '../cli/run-cli.ts';

export const deployDir = join(packageRoot, 'deploy');

export const readYaml = async <Shape>(file: string): Promise<Shape> => parse(await readFile(file, 'utf8')) as Shape;

type ScrapeConfig = { job_name: string; scrape_interval?: string; static_configs: { targets: string[] }[] };

type PrometheusConfig = {
  global: { scrape_interval: string; evaluation_interval: string };
  rule_files: string[];
  alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
  scrape_configs: ScrapeConfig[];
};

type RuleFile = { groups: { name: string; interval?: string; rules: { alert: string; for: string }[] }[] };

type Route = { group_wait?: string; group_interval?: string; repeat_interval?: string; routes?: Route[] };

type Receiver = {
  name: string;
  webhook_configs?: { url: string; http_config: { basic_auth: { username: string; password_file: string } } }[];
};

type AlertmanagerConfig = { route: Route; receivers: Receiver[] };

/** Where the services of the stack are, by the address that the shipped configuration names. */
export type Places = Readonly<Record<string, string>>;

const placeOf = (places: Places, address: string): string => {
  const place = places[address];
  if (place === undefined) throw new Error(`the shipped configuration names ${address}, which this test does not start`);
  return place;
};

export type Pace = {
  readonly scrapeEvery: string;
  /** How long what an alert is about has to last, where the shipped rule says minutes. */
  readonly patience?: string;
};

/** Writes prometheus.yml and rules/ into `dir`; rules are evaluated every second. Resolves to the file. */
export const writePrometheusConfig = async (dir: string, places: Places, { scrapeEvery, patience }: Pace): Promise<string> => {
  const source = join(deployDir, 'prometheus');
  const config = await readYaml<PrometheusConfig>(join(source, 'prometheus.yml'));
  config.global.scrape_interval = scrapeEvery;
  config.global.evaluation_interval = '1s';
  const statics = [...config.scrape_configs, ...config.alerting.alertmanagers].flatMap((each) => each.static_configs);
  for (const each of statics) each.targets = each.targets.map((target) => placeOf(places, target));
  for (const each of config.scrape_configs) delete each.scrape_interval;
  await mkdir(join(dir, 'rules'), { recursive: true });
  for (const name of await readdir(join(source, 'rules'))) {
    const rules = await readYaml<RuleFile>(join(source, 'rules', name));
    for (const group of rules.groups) delete group.interval;
    for (const rule of rules.groups.flatMap((group) => group.rules)) {
      if (patience !== undefined && rule.for.endsWith('m')) rule.for = patience;
    }
    await writeFile(join(dir, 'rules', name), stringify(rules));
  }
  await writeFile(join(dir, 'prometheus.yml'), stringify(config));
  return join(dir, 'prometheus.yml');
};

const hasten = (route: Route): void => {
  if (route.group_wait !== undefined) route.group_wait = '1s';
  if (route.group_interval !== undefined) route.group_interval = '1s';
  if (route.repeat_interval !== undefined) route.repeat_interval = '2s';
  for (const each of route.routes ?? []) hasten(each);
};

/** Writes alertmanager.yml into `dir`; a notification is repeated every two seconds. Resolves to the file. */
export const writeAlertmanagerConfig = async (dir: string, gatewayUrl: string, password: string): Promise<string> => {
  const config = await readYaml<AlertmanagerConfig>(join(deployDir, 'alertmanager', 'alertmanager.yml'));
  hasten(config.route);
  const passwordFile = join(dir, 'basic-auth-password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  for (const hook of config.receivers.flatMap((each) => each.webhook_configs ?? [])) {
    hook.url = hook.url.replace('http://gateway:8080', gatewayUrl);
    hook.http_config.basic_auth.password_file = passwordFile;
  }
  await writeFile(join(dir, 'alertmanager.yml'), stringify(config));
  return join(dir, 'alertmanager.yml');
};

/** A copy of a folder of deploy/, for tests that change it. */
export const copyShipped = async (folder: string, dir: string): Promise<void> =>
  cp(join(deployDir, folder), join(dir, folder), { recursive: true });
