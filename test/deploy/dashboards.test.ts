import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { packageRoot } from '../cli/run-cli.ts';
import { Dashboard, overlaps, readDashboards, variablesIn } from './dashboards.ts';
import { knownMetrics, metricsIn } from './expressions.ts';

const readYaml = async <Shape>(...path: string[]): Promise<Shape> =>
  parse(await readFile(join(packageRoot, ...path), 'utf8')) as Shape;

test('every dashboard has what Grafana needs to load it, and no two share an id', async () => {
  const dashboards = await readDashboards();
  assert.deepEqual([...dashboards.keys()], ['function.json', 'gateway.json', 'overview.json', 'scaling.json']);
  const all = [...dashboards.values()];
  assert.equal(new Set(all.map((each) => each.uid)).size, all.length, 'uids');
  assert.equal(new Set(all.map((each) => each.title)).size, all.length, 'titles');
});

test('panels have ids and titles of their own, and none lies on another', async () => {
  for (const [name, { panels }] of await readDashboards()) {
    assert.equal(new Set(panels.map((each) => each.id)).size, panels.length, `${name}: ids`);
    assert.equal(new Set(panels.map((each) => each.title)).size, panels.length, `${name}: titles`);
    assert.deepEqual(overlaps(panels), [], name);
  }
});

test('every variable that an expression uses is defined, and every one that is defined is used', async () => {
  const grafanas = new Set(['__rate_interval', '__range']);
  for (const [name, { panels, templating }] of await readDashboards()) {
    const defined = templating.list.map((each) => each.name).sort();
    const used = new Set(
      panels.flatMap((panel) => panel.targets.flatMap((each) => variablesIn(each.expr + each.datasource.uid))),
    );
    assert.deepEqual([...used].filter((each) => !grafanas.has(each)).sort(), defined, name);
  }
});

test('every expression names metrics that the gateway publishes or Prometheus has by itself', async () => {
  const known = await knownMetrics();
  for (const [name, { panels, templating }] of await readDashboards()) {
    const queries = templating.list.flatMap((each) =>
      each.type === 'query' ? [each.definition.replace('label_values', 'sum')] : [],
    );
    for (const expression of [...panels.flatMap((panel) => panel.targets.map((each) => each.expr)), ...queries]) {
      for (const metric of metricsIn(expression))
        assert.ok(known.has(metric) || metric === 'function_name', `${name}: ${metric}`);
    }
  }
});

test('a legend names labels that its expression keeps', async () => {
  for (const [name, { panels }] of await readDashboards()) {
    for (const { title, targets } of panels) {
      for (const { expr, legendFormat } of targets) {
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          assert.match(expr, new RegExp(`by \\([^)]*\\b${label}\\b[^)]*\\)`), `${name}: ${title}: ${label}`);
        }
      }
    }
  }
});

test('a dashboard that Grafana would not take is refused', async () => {
  const [first] = [...(await readDashboards()).values()];
  assert.ok(first !== undefined);
  const [panel] = first.panels;
  assert.ok(panel !== undefined);
  const broken = [
    { ...first, uid: 'a uid with spaces' },
    { ...first, schemaVersion: 16 },
    { ...first, panels: [{ ...panel, targets: [] }] },
    { ...first, panels: [{ ...panel, gridPos: { h: 8, w: 13, x: 12, y: 0 } }] },
    { ...first, panels: [{ ...panel, datasource: 'Prometheus' }] },
    { ...first, panels: [{ ...panel, type: 'graph' }] },
  ];
  for (const each of broken) assert.equal(Dashboard.safeParse(each).success, false, JSON.stringify(each).slice(0, 200));
  assert.deepEqual(overlaps([panel, { ...panel, title: 'the same place' }]), [`${panel.title} and the same place`]);
});

type Provider = { readonly type: string; readonly options: { readonly path: string } };
type DataSource = { readonly name: string; readonly uid: string; readonly type: string; readonly url: string };
type Compose = { readonly services: Readonly<Record<string, { readonly volumes: readonly string[] }>> };

test('Grafana finds dashboards and data sources where docker-compose.yml puts them', async () => {
  const { services } = await readYaml<Compose>('docker-compose.yml');
  const volumes = services.grafana?.volumes ?? [];
  const { providers } = await readYaml<{ providers: Provider[] }>('deploy/grafana/provisioning/dashboards/sluice.yaml');
  for (const { options } of providers)
    assert.ok(volumes.includes(`./deploy/grafana/dashboards:${options.path}:ro`), options.path);
  assert.ok(volumes.includes('./deploy/grafana/provisioning:/etc/grafana/provisioning:ro'));
  const { datasources } = await readYaml<{ datasources: DataSource[] }>(
    'deploy/grafana/provisioning/datasources/prometheus.yaml',
  );
  assert.deepEqual(
    datasources.map(({ type, url }) => [type, new URL(url).hostname in services]),
    [
      ['prometheus', true],
      ['alertmanager', true],
    ],
  );
});
