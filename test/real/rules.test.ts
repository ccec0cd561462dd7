// The shipped rules, routes and metrics, judged by the tools of Prometheus and Alertmanager.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../cli/run-cli.ts';
import type { Cleanup } from '../helpers/cleanup.ts';
import { startGateway } from '../helpers/gateway.ts';
import { runProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { missing } from './component.ts';
import { monitoringPrograms } from './monitoring.ts';
import { copyShipped, deployDir } from './shipped.ts';

const skip = missing(monitoringPrograms);

const env = { PATH: process.env.PATH ?? '' };
const testsDir = join(packageRoot, 'test', 'deploy', 'rules');

const filesIn = async (dir: string): Promise<string[]> => (await readdir(dir)).sort().map((name) => join(dir, name));

/** What it said, once it has ended well. */
const passes = async (t: Cleanup, program: string, args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runProgram(t, program, args, { env });
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
};

test('promtool finds nothing wrong with the rules', { skip }, async (t) => {
  const rules = await filesIn(join(deployDir, 'prometheus', 'rules'));
  const said = await passes(t, 'promtool', ['check', 'rules', '--lint=all', '--lint-fatal', ...rules]);
  assert.equal(said.match(/SUCCESS/g)?.length, rules.length, said);
});

test('every rule fires when it has to and stays silent otherwise', { skip }, async (t) => {
  const files = await filesIn(testsDir);
  const said = await passes(t, 'promtool', ['test', 'rules', ...files]);
  assert.equal(said.match(/SUCCESS/g)?.length, files.length, said);
});

test('promtool and amtool take the configuration of Prometheus and Alertmanager', { skip }, async (t) => {
  const dir = await makeTmpDir(t);
  await copyShipped('prometheus', dir);
  await passes(t, 'promtool', ['check', 'config', join(dir, 'prometheus', 'prometheus.yml')]);
  const said = await passes(t, 'amtool', ['check-config', join(deployDir, 'alertmanager', 'alertmanager.yml')]);
  assert.match(said, /2 receivers/);
});

test('only alerts that scale are sent to the gateway', { skip }, async (t) => {
  const file = join(deployDir, 'alertmanager', 'alertmanager.yml');
  const routed = async (...labels: string[]): Promise<string> =>
    (await passes(t, 'amtool', ['config', 'routes', 'test', `--config.file=${file}`, ...labels])).trim();
  assert.equal(
    await routed('alertname=APIHighInvocationRate', 'service=gateway', 'severity=major', 'function_name=f.fn'),
    'scale-up',
  );
  // Or a function that fails would be given replicas.
  assert.equal(await routed('alertname=FunctionErrorRateHigh', 'severity=major', 'function_name=f.fn'), 'people');
  assert.equal(await routed('alertname=GatewayDown', 'severity=critical'), 'people');
});

/** Names that are OpenFaaS's: they do not follow the custom that promtool holds them to, and stay as they are. */
const openfaasNames = [
  'gateway_function_invocation_started counter metrics should have "_total" suffix',
  'gateway_service_count non-histogram and non-summary metrics should not have "_count" suffix',
  'gateway_service_ready_count non-histogram and non-summary metrics should not have "_count" suffix',
];

test('promtool finds nothing wrong with a real scrape', { skip }, async (t) => {
  const gateway = await startGateway(t);
  await gateway.deployHandler('fn', `export const handler = () => new Response('ok');`, {
    labels: { 'com.openfaas.scale.target': '10' },
  });
  assert.equal((await gateway.call('fn')).status, 200);
  await gateway.control('POST', '/system/scale-function/fn', { serviceName: 'fn', replicas: 0 });
  assert.equal((await gateway.call('fn')).status, 200, 'from zero');
  const scrape = await (await fetch(`http://127.0.0.1:${gateway.metricsPort}/metrics`)).text();
  const { stdout, stderr } = await runProgram(t, 'promtool', ['check', 'metrics'], { env, input: scrape });
  const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !openfaasNames.includes(line));
  assert.deepEqual(complaints, []);
  assert.ok(scrape.includes('gateway_function_invocation_total{function_name="fn.openfaas-fn",code="200"} 2'), scrape);
});
