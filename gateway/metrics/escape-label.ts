/** Label values in the Prometheus text format: backslash, quote and line feed are escaped. */
export const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
