// Prometheus and Alertmanager as Debian packages them, with the configuration under deploy/, beside a gateway of a test.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cleanup, onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import type { RunningGateway } from '../helpers/gateway.ts';
import { freePort } from '../helpers/listen.ts';
import { type Program, startProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { type Pace, writeAlertmanagerConfig, writePrometheusConfig } from './shipped.ts';

export const monitoringPrograms: readonly string[] = ['prometheus', 'promtool', 'prometheus-alertmanager', 'amtool'];

/** One series of an answer: its labels, and its value. */
export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

export type Monitoring = {
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  /** An instant query, of now or of a time in seconds since 1970. @throws Error with Prometheus' own words for an expression that it cannot evaluate */
  query(expression: string, atSeconds?: number): Promise<Sample[]>;
};

const PATH = process.env.PATH ?? '';

type QueryAnswer = {
  readonly error?: string;
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];
  };
};

const queryAt = async (url: string, expression: string, atSeconds?: number): Promise<Sample[]> => {
  const time = atSeconds === undefined ? '' : `&time=${atSeconds}`;
  const query = `${url}/api/v1/query?query=${encodeURIComponent(expression)}${time}`;
  const response = await fetch(query, { signal: AbortSignal.timeout(10_000) });
  const answer = (await response.json()) as QueryAnswer;
  if (!response.ok || answer.data === undefined) throw new Error(`${expression}: ${answer.error ?? response.status}`);
  if (answer.data.resultType === 'scalar') {
    const [, value] = answer.data.result as unknown as readonly [number, string];
    return [{ labels: {}, value: Number(value) }];
  }
  return answer.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
};

const untilReady = async (url: string, program: Program): Promise<void> => {
  const isReady = async (): Promise<boolean> => (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(2000) })).ok;
  await eventually(isReady, { what: `${url}/-/ready`, timeoutMs: 30_000, intervalMs: 50 }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n${program.stderr()}`);
  });
};

/** Resolves when both are ready and Prometheus has scraped the gateway. */
export const startMonitoring = async (
  t: Cleanup,
  gateway: RunningGateway,
  pace: Pace = { scrapeEvery: '1s' },
): Promise<Monitoring> => {
  const dir = await makeTmpDir(t);
  const [prometheus, alertmanager] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const places = {
    'gateway:8082': `127.0.0.1:${gateway.metricsPort}`,
    'alertmanager:9093': alertmanager,
    'localhost:9090': prometheus,
  };
  const env = { PATH, HOME: dir };
  const launch = async (name: string, address: string, args: readonly string[]): Promise<string> => {
    await mkdir(join(dir, name));
    const program = startProgram(t, name, [...args, `--web.listen-address=${address}`], { env, cwd: dir });
    onEnd(t, () => program.kill('SIGTERM'));
    await untilReady(`http://${address}`, program);
    return `http://${address}`;
  };
  const config = await writePrometheusConfig(dir, places, pace);
  const alerting = await writeAlertmanagerConfig(dir, gateway.url, gateway.password);
  const [prometheusUrl, alertmanagerUrl] = await Promise.all([
    launch('prometheus', prometheus, [`--config.file=${config}`, `--storage.tsdb.path=${join(dir, 'prometheus')}`]),
    // Without --cluster.listen-address it would look for others of its kind on a fixed port.
    launch('prometheus-alertmanager', alertmanager, [
      `--config.file=${alerting}`,
      `--storage.path=${join(dir, 'prometheus-alertmanager')}`,
      '--cluster.listen-address=',
    ]),
  ]);
  const query: Monitoring['query'] = (expression, atSeconds) => queryAt(prometheusUrl, expression, atSeconds);
  const scraped = async (): Promise<boolean> => (await query('up{app="gateway"} == 1')).length === 1;
  await eventually(scraped, { what: 'Prometheus scrapes the gateway', timeoutMs: 30_000, intervalMs: 100 });
  return { prometheusUrl, alertmanagerUrl, query };
};
