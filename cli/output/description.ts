// The page that `describe` prints. Pure.

import type { FunctionStatus, Resources } from '../../provider/types/function.ts';
import { parseQuantity } from '../../provider/types/quantity.ts';
import { formatRows, type Row } from './table.ts';

export type Description = {
  readonly status: FunctionStatus;
  readonly invocationCount: number;
  readonly url: string;
  /** Absent when the gateway takes no asynchronous calls. */
  readonly asyncUrl: string | undefined;
  /** How the provider enforces limits, in its words. */
  readonly enforcement: string | undefined;
};

type Block = { readonly heading: string; readonly lines: readonly string[] };

const mapBlock = (heading: string, values: Readonly<Record<string, string>> | undefined): Block => ({
  heading,
  lines: Object.keys(values ?? {})
    .sort()
    .map((key) => `${key}: ${values?.[key] ?? ''}`),
});

const resourceBlock = (heading: string, values: Resources | undefined): Block => ({
  heading,
  lines: [...(values?.cpu ? [`CPU: ${values.cpu}`] : []), ...(values?.memory ? [`Memory: ${values.memory}`] : [])],
});

const limitsBlock = (description: Description): Block => {
  const block = resourceBlock('Limits', description.status.limits);
  if (block.lines.length === 0 || description.enforcement === undefined) return block;
  return { ...block, lines: [...block.lines, `Enforced by: ${description.enforcement}`] };
};

const usageBlock = (status: FunctionStatus): Block => {
  const { usage } = status;
  if (usage === undefined) return { heading: 'Usage', lines: [] };
  const megabytes = usage.totalMemoryBytes / (parseQuantity('1Mi') ?? 1);
  return { heading: 'Usage', lines: [`RAM: ${megabytes.toFixed(2)} MiB`, `CPU: ${Math.round(usage.cpu)} m`] };
};

const conditionBlock = (status: FunctionStatus): Block => ({
  heading: 'Conditions',
  lines: (status.conditions ?? []).map(
    (each) =>
      `${each.type}: ${each.status}, ${each.reason}${each.message === '' ? '' : `: ${each.message}`} (since ${each.lastTransitionTime})`,
  ),
});

const blocksOf = (description: Description): Block[] => {
  const { status } = description;
  return [
    conditionBlock(status),
    mapBlock('Labels', status.labels),
    mapBlock('Annotations', status.annotations),
    { heading: 'Constraints', lines: status.constraints ?? [] },
    mapBlock('Environment', status.envVars),
    { heading: 'Secrets', lines: status.secrets ?? [] },
    resourceBlock('Requests', status.requests),
    limitsBlock(description),
    usageBlock(status),
  ];
};

/** The reason why a function does not answer, or that it is at zero by design. */
const reasonOf = (status: FunctionStatus): string => {
  const failing = status.conditions?.find((each) => each.status === 'False');
  if (failing !== undefined) return ` (${failing.reason})`;
  const ready = status.conditions?.find((each) => each.type === 'Ready');
  return ready !== undefined && (status.availableReplicas ?? 0) === 0 ? ` (${ready.reason}: the next call starts it)` : '';
};

/** @param verbose also blocks without values, as `<none>` */
export const formatDescription = (description: Description, verbose: boolean): string => {
  const { status } = description;
  const rows: Row[] = [
    ['Name', status.name],
    ...(status.namespace ? ([['Namespace', status.namespace]] as Row[]) : []),
    ['Status', `${(status.availableReplicas ?? 0) > 0 ? 'Ready' : 'Not Ready'}${reasonOf(status)}`],
    ['Replicas', status.replicas ?? 0],
    ['Available Replicas', status.availableReplicas ?? 0],
    ['Invocations', description.invocationCount],
    ['Image', status.image],
    ['Function Process', status.envProcess || '<default>'],
    ['Created', status.createdAt],
    ['URL', description.url],
    ...(description.asyncUrl === undefined ? [] : ([['Async URL', description.asyncUrl]] as Row[])),
  ];
  const blocks = blocksOf(description).filter((block) => verbose || block.lines.length > 0);
  const shown = blocks.map((block) => {
    const lines = block.lines.length === 0 ? ['<none>'] : block.lines;
    return `${block.heading}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  });
  return formatRows(rows) + shown.join('');
};
