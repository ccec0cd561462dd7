// Every expression of every dashboard, asked of a real Prometheus that scraped a real gateway after a load that is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDashboards } from '../deploy/dashboards.ts';
import { eventually } from '../helpers/eventually.ts';
import { startGateway } from '../helpers/gateway.ts';
import { missing } from './component.ts';
import { type Answers, type Check, expectations, openfaasExpressions, readyReplicas } from './dashboard-values.ts';
import { deployKnownFunctions } from './known-load.ts';
import { type Monitoring, monitoringPrograms, type Sample, startMonitoring } from './monitoring.ts';

const skip = missing(monitoringPrograms);

/** Labels' values in the order of their names: `busy.openfaas-fn`, `500 broken.openfaas-fn`; nothing where there are none. */
const keyOf = ({ labels }: Sample): string =>
  Object.keys(labels)
    .filter((name) => name !== '__name__' && name !== 'instance')
    .sort()
    .map((name) => labels[name]?.replace('.openfaas-fn', ''))
    .join(' ');

/** Zeros of series that stood still, and what is nothing divided by nothing, are left out. */
const answersOf = (samples: readonly Sample[]): Answers => {
  const only = samples.length === 1;
  const kept = samples.filter(({ value }) => only || (value !== 0 && !Number.isNaN(value)));
  return Object.fromEntries(kept.map((sample) => [keyOf(sample), sample.value]));
};

const countOf = async (monitoring: Monitoring, expression: string): Promise<number> =>
  (await monitoring.query(expression))[0]?.value ?? 0;

const until = (monitoring: Monitoring, expression: string, wanted: number): Promise<true> =>
  eventually(async () => (await countOf(monitoring, expression)) === wanted, {
    what: `${expression} is ${wanted}`,
    timeoutMs: 30_000,
    intervalMs: 50,
  });

test('every expression of every dashboard returns the values of a known load', { skip }, async (t) => {
  const gateway = await startGateway(t, { args: ['--drain-timeout', '1s'] });
  const load = await deployKnownFunctions(t, gateway);
  const monitoring = await startMonitoring(t, gateway, { scrapeEvery: '250ms' });
  await load.hold();
  await load.warmUp();
  // One of busy, one of broken, three of narrow, one of sleepy.
  await until(monitoring, 'sum(gateway_function_invocation_total)', 6);
  await until(monitoring, 'sum(gateway_service_ready_count)', readyReplicas);
  // A window that begins and ends with a scrape: there is nothing to estimate at its ends, so that ten calls give ten.
  const lastScrapeMs = async (): Promise<number> =>
    Math.round(1000 * (await countOf(monitoring, 'timestamp(up{app="gateway"})')));
  const began = await lastScrapeMs();
  await load.run();
  await until(monitoring, 'sum(gateway_function_invocation_total)', 6 + 10 + 4 + 4 + 1);
  await until(monitoring, 'sum(gateway_service_ready_count)', readyReplicas);
  const at = await lastScrapeMs();
  const windowMs = at - began;

  const wrong: string[] = [];
  const judge = async (name: string, expr: string, check: Check): Promise<void> => {
    const expression = expr
      .replaceAll(/\$__rate_interval|\$__range|\b20s\b/g, `${windowMs}ms`)
      .replaceAll('$function', `${check.of ?? 'busy'}.openfaas-fn`);
    // Those that OpenFaaS publishes keep the labels of the target.
    const unlabelled = (await monitoring.query(expression, at / 1000)).map(
      ({ labels: { app: _, job: __, ...labels }, value }) => ({ labels, value }),
    );
    const answers = answersOf(unlabelled);
    const problem = check.judge(answers);
    if (problem !== undefined) wrong.push(`${name}: ${problem}\n  ${expression}\n  gave ${JSON.stringify(answers)}`);
  };

  const expected = expectations(windowMs / 1000);
  const shown = new Set<string>();
  for (const [file, { panels }] of await readDashboards()) {
    for (const { title, targets } of panels) {
      for (const { refId, expr } of targets) {
        const name = `${file}: ${title}: ${refId}`;
        shown.add(name);
        const check = expected[name];
        if (check === undefined) {
          wrong.push(`${name}: nothing is expected of it`);
          continue;
        }
        await judge(name, expr, check);
      }
    }
  }
  for (const [expr, check] of Object.entries(openfaasExpressions(windowMs / 1000)))
    await judge("OpenFaaS' own dashboard", expr, check);
  assert.deepEqual(wrong, [], wrong.join('\n'));
  assert.deepEqual(Object.keys(expected).sort(), [...shown].sort(), 'a value for every expression, and none for others');
});
