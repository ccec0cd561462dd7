// Columns padded to a width and separated by tabs, as scripts know them from faas-cli; and aligned `key: value` rows.

export type Column = { readonly heading: string; readonly width: number };

const line = (cells: readonly string[], columns: readonly Column[]): string =>
  cells
    .map((cell, index) => cell.padEnd(columns[index]?.width ?? 0))
    .join('\t')
    .trimEnd();

export const formatTable = (columns: readonly Column[], rows: readonly (readonly string[])[]): string =>
  [columns.map((column) => column.heading), ...rows].map((cells) => `${line(cells, columns)}\n`).join('');

export type Row = readonly [key: string, value: string | number];

export const formatRows = (rows: readonly Row[], indent = ''): string => {
  const width = Math.max(0, ...rows.map(([key]) => key.length)) + 2;
  return rows.map(([key, value]) => `${indent}${`${key}:`.padEnd(width)}${value}\n`).join('');
};
