// What the PromQL under deploy/ names, as far as a test needs to know without parsing PromQL.
import { createFunctionMetrics } from '../../gateway/metrics/function-series.ts';
import { functionText } from '../../gateway/metrics/function-text.ts';
import { createControlMetrics } from '../../gateway/metrics/registry.ts';

/** Made by Prometheus. */
const ofOthers: ReadonlySet<string> = new Set(['up', 'ALERTS', 'scrape_duration_seconds', 'scrape_samples_scraped']);

/** Metrics in an expression: words with an underscore that are no label and no function of PromQL. */
export const metricsIn = (expression: string): string[] => {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, '')
    .replaceAll(/\$\w+/g, '');
  const words = [...bare.matchAll(/\b([a-zA-Z_:][\w:]*)\b(?!\s*\()/g)].map(([, word = '']) => word);
  return [...new Set(words.filter((word) => word.includes('_') || ofOthers.has(word)))];
};

/** What the gateway publishes, `_bucket`, `_sum` and `_count` of histograms included, and what Prometheus has by itself. */
export const knownMetrics = async (): Promise<ReadonlySet<string>> => {
  const text = `${await createControlMetrics('x', () => 0).text()}${[...functionText(createFunctionMetrics())].join('')}`;
  const known = new Set(ofOthers);
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)/gm)) {
    known.add(name);
    if (type === 'histogram') known.add(`${name}_bucket`);
    if (type === 'histogram' || type === 'summary') known.add(`${name}_sum`).add(`${name}_count`);
  }
  return known;
};
