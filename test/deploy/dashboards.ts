// What Grafana 11 needs to load a dashboard from a file and draw it without repairs, as a schema.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../cli/run-cli.ts';

export const dashboardsDir = join(packageRoot, 'deploy', 'grafana', 'dashboards');

/** By variable: the reader picks the data source, and the one that is provisioned is the default. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana fills it in
const DataSource = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });

const Target = z
  .strictObject({
    refId: z.string().regex(/^[A-Z]$/),
    datasource: DataSource,
    expr: z.string().trim().min(1),
    legendFormat: z.string(),
    instant: z.boolean(),
    range: z.boolean(),
    format: z.enum(['time_series', 'table', 'heatmap']).optional(),
  })
  .refine((target) => target.instant !== target.range, 'asks for one point or for a range');

/** Ids of units as Grafana names them; an unknown one would be printed behind the number as it stands. */
const Unit = z.enum(['short', 'none', 'reqps', 's', 'percentunit', 'bytes']);

const Thresholds = z.strictObject({
  mode: z.literal('absolute'),
  steps: z
    .array(z.strictObject({ color: z.string(), value: z.number().nullable() }))
    .min(1)
    .refine(([first, ...rest]) => first?.value === null && rest.every((step) => step.value !== null), 'begins without a value'),
});

const FieldConfig = z.strictObject({
  defaults: z.looseObject({
    unit: Unit.optional(),
    min: z.number().optional(),
    decimals: z.int().min(0).optional(),
    thresholds: Thresholds.optional(),
    color: z.strictObject({ mode: z.enum(['thresholds', 'palette-classic']) }).optional(),
  }),
  overrides: z.array(z.never()),
});

const columns = 24;

const GridPos = z
  .strictObject({ h: z.int().min(1), w: z.int().min(1).max(columns), x: z.int().min(0), y: z.int().min(0) })
  .refine(({ x, w }) => x + w <= columns, 'ends right of the grid');

const Reduce = z.strictObject({ calcs: z.array(z.string()).min(1), fields: z.string(), values: z.boolean() });

const StatOptions = z.strictObject({
  reduceOptions: Reduce,
  orientation: z.enum(['auto', 'horizontal', 'vertical']),
  textMode: z.enum(['auto', 'value', 'value_and_name', 'name', 'none']),
  colorMode: z.enum(['value', 'background', 'none']),
  graphMode: z.enum(['none', 'area']),
  justifyMode: z.enum(['auto', 'center']),
});

const SeriesOptions = z.strictObject({
  legend: z.strictObject({
    displayMode: z.enum(['list', 'table', 'hidden']),
    placement: z.enum(['bottom', 'right']),
    showLegend: z.boolean(),
    calcs: z.array(z.enum(['lastNotNull', 'max', 'min', 'mean', 'sum'])),
  }),
  tooltip: z.strictObject({ mode: z.enum(['single', 'multi', 'none']), sort: z.enum(['none', 'asc', 'desc']) }),
});

const TableOptions = z.strictObject({ showHeader: z.boolean(), cellHeight: z.enum(['sm', 'md', 'lg']) });

const Transformation = z.strictObject({ id: z.enum(['merge', 'organize']), options: z.looseObject({}) });

const shared = {
  id: z.int().min(1),
  title: z.string().min(1),
  description: z.string().min(1),
  gridPos: GridPos,
  datasource: DataSource,
  targets: z
    .array(Target)
    .min(1)
    .refine((targets) => new Set(targets.map((each) => each.refId)).size === targets.length, 'a refId twice'),
  fieldConfig: FieldConfig,
};

const Panel = z.discriminatedUnion('type', [
  z.strictObject({ ...shared, type: z.literal('stat'), options: StatOptions }),
  z.strictObject({ ...shared, type: z.literal('timeseries'), options: SeriesOptions }),
  z.strictObject({
    ...shared,
    type: z.literal('table'),
    options: TableOptions,
    transformations: z.array(Transformation),
  }),
]);

const variable = {
  name: z.string().regex(/^\w+$/),
  label: z.string().min(1),
  hide: z.literal([0, 1, 2]),
  refresh: z.literal([0, 1, 2]),
  multi: z.boolean(),
  includeAll: z.boolean(),
  current: z.looseObject({}),
  options: z.array(z.never()),
  regex: z.string(),
};

const Variable = z.discriminatedUnion('type', [
  z.strictObject({ ...variable, type: z.literal('datasource'), query: z.literal('prometheus') }),
  z.strictObject({
    ...variable,
    type: z.literal('query'),
    datasource: DataSource,
    definition: z.string(),
    query: z.strictObject({ query: z.string(), refId: z.string() }),
    sort: z.int(),
  }),
]);

const Link = z.looseObject({ title: z.string(), type: z.enum(['dashboards', 'link']), tags: z.array(z.string()) });

export const Dashboard = z.strictObject({
  uid: z.string().regex(/^[\w-]{1,40}$/),
  title: z.string().min(1),
  description: z.string().min(1),
  tags: z.array(z.string()).min(1),
  /** Below 36 Grafana migrates data sources that are named by a string. */
  schemaVersion: z.int().min(36).max(41),
  version: z.int().min(1),
  editable: z.boolean(),
  graphTooltip: z.literal([0, 1, 2]),
  timezone: z.enum(['', 'utc', 'browser']),
  weekStart: z.string(),
  fiscalYearStartMonth: z.int().min(0).max(11),
  liveNow: z.boolean(),
  time: z.strictObject({ from: z.string().startsWith('now-'), to: z.literal('now') }),
  refresh: z.string().regex(/^\d+[smh]$/),
  timepicker: z.looseObject({}),
  annotations: z.strictObject({ list: z.array(z.looseObject({})) }),
  links: z.array(Link),
  templating: z.strictObject({ list: z.array(Variable) }),
  panels: z.array(Panel).min(1),
});

export type Dashboard = z.infer<typeof Dashboard>;
export type Panel = z.infer<typeof Panel>;

/** The shipped dashboards by file name. @throws ZodError for one that Grafana would not take as it is */
export const readDashboards = async (): Promise<ReadonlyMap<string, Dashboard>> => {
  const dashboards = new Map<string, Dashboard>();
  for (const name of (await readdir(dashboardsDir)).sort()) {
    const text = await readFile(join(dashboardsDir, name), 'utf8');
    dashboards.set(name, Dashboard.parse(JSON.parse(text), { error: (issue) => `${name}: ${issue.message ?? issue.code}` }));
  }
  return dashboards;
};

/** Titles of panels that lie on each other. */
export const overlaps = (panels: readonly Panel[]): string[] => {
  const found: string[] = [];
  for (const [index, { title, gridPos: a }] of panels.entries()) {
    for (const { title: other, gridPos: b } of panels.slice(index + 1)) {
      const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
      if (!apart) found.push(`${title} and ${other}`);
    }
  }
  return found;
};

/** Names of `$name` and `${name}` in a text. */
export const variablesIn = (text: string): string[] => [...text.matchAll(/\$\{?(\w+)\}?/g)].map((match) => match[1] ?? '');
