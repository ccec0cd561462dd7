import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageRoot } from '../cli/run-cli.ts';
import { knownMetrics, metricsIn } from './expressions.ts';

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

type RuleTest = { readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[] };

const readAll = async <Shape>(dir: string): Promise<Shape[]> => {
  const names = (await readdir(dir)).sort();
  return Promise.all(names.map(async (name) => parse(await readFile(join(dir, name), 'utf8')) as Shape));
};

const readRules = async (): Promise<Rule[]> => {
  const files = await readAll<{ groups: { rules: Rule[] }[] }>(join(packageRoot, 'deploy', 'prometheus', 'rules'));
  return files.flatMap((file) => file.groups.flatMap((group) => group.rules));
};

test('every rule has a promtool test that sees it fire and one that sees it silent', async () => {
  const files = await readAll<{ tests: RuleTest[] }>(join(packageRoot, 'test', 'deploy', 'rules'));
  const cases = files.flatMap((file) => file.tests.flatMap((each) => each.alert_rule_test));
  const names = (await readRules()).map((rule) => rule.alert);
  assert.ok(names.length > 10, names.join());
  for (const name of names) {
    const own = cases.filter((each) => each.alertname === name);
    assert.ok(
      own.some((each) => each.exp_alerts.length > 0),
      `${name} fires`,
    );
    assert.ok(
      own.some((each) => each.exp_alerts.length === 0),
      `${name} stays silent`,
    );
  }
  assert.deepEqual([...new Set(cases.map((each) => each.alertname))].sort(), [...names].sort());
});

test("fact 139: OpenFaaS's rule has its name, expression and labels unchanged", async () => {
  const [rule] = (await readRules()).filter((each) => each.alert === 'APIHighInvocationRate');
  assert.equal(rule?.expr, 'sum(rate(gateway_function_invocation_total{code="200"}[10s])) BY (function_name) > 5');
  assert.equal(rule?.for, '5s');
  assert.deepEqual(rule?.labels, { service: 'gateway', severity: 'major' });
});

test('no other rule has the label by which alerts are sent to the gateway', async () => {
  const scaling = (await readRules()).filter((rule) => rule.labels.service === 'gateway').map((rule) => rule.alert);
  assert.deepEqual(scaling, ['APIHighInvocationRate']);
});

test('every rule names metrics that the gateway publishes, and says what it means', async () => {
  const known = await knownMetrics();
  const docs = await readFile(join(packageRoot, 'docs', 'monitoring.md'), 'utf8');
  for (const rule of await readRules()) {
    const names = metricsIn(rule.expr);
    assert.ok(names.length > 0, `${rule.alert} names no metric`);
    for (const name of names) assert.ok(known.has(name), `${rule.alert}: ${name}`);
    assert.match(rule.annotations.summary ?? '', /\S/, rule.alert);
    assert.match(rule.annotations.description ?? '', /\S/, rule.alert);
    assert.ok(docs.includes(`\`${rule.alert}\``), `docs/monitoring.md has no row for ${rule.alert}`);
  }
});
