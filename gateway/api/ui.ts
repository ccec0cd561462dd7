// GET /ui/: the functions of a namespace as a plain page. OpenFaaS contract, 1.12.
import type { Provider } from '../../provider/provider.ts';
import type { FunctionStatus } from '../../provider/types/function.ts';
import { formatRef } from '../../provider/types/name.ts';
import { pageNotFound } from '../http/dispatch.ts';
import type { Route } from '../http/route.ts';
import { writeInSlices } from '../http/slices.ts';

type Run = Route['run'];

/** OpenFaaS contract, fact 5. */
const crossOrigin = {
  'Access-Control-Allow-Headers': 'Content-Type',
  'Access-Control-Allow-Methods': 'GET',
  'Access-Control-Allow-Origin': 'raw.githubusercontent.com',
};

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

const head = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Functions</title>
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}
td{overflow-wrap:anywhere}</style></head><body>
`;

/** `Ready`, or the reason why not. */
const stateOf = (status: FunctionStatus): string => {
  const failing = status.conditions?.find((condition) => condition.status === 'False');
  if (failing !== undefined) return `${failing.reason}: ${failing.message}`;
  if ((status.replicas ?? 0) === 0) return 'At zero, starts with the next call';
  return (status.availableReplicas ?? 0) > 0 ? 'Ready' : 'Starting';
};

const cells = (texts: readonly string[]): string => texts.map((text) => `<td>${text}</td>`).join('');

function* page(
  namespace: string,
  namespaces: readonly string[],
  functions: readonly FunctionStatus[],
  countOf: (key: string) => number,
): Generator<string, void> {
  yield head;
  const links = namespaces.map((each) => `<a href="?namespace=${encodeURIComponent(each)}">${escapeHtml(each)}</a>`);
  yield `<h1>Functions in ${escapeHtml(namespace)}</h1><p>Namespaces: ${links.join(' ')}</p>\n`;
  if (functions.length === 0) yield '<p>None yet. Deploy one with <code>sluice up</code>.</p>\n';
  else yield '<table><tr><th>Name</th><th>Replicas</th><th>Calls</th><th>State</th><th>Image</th></tr>\n';
  for (const status of functions) {
    const ref = formatRef(status);
    const link = `<a href="../function/${encodeURIComponent(ref)}">${escapeHtml(status.name)}</a>`;
    const replicas = `${status.availableReplicas ?? 0}/${status.replicas ?? 0}`;
    yield `<tr>${cells([link, replicas, String(countOf(ref)), escapeHtml(stateOf(status)), escapeHtml(status.image)])}</tr>\n`;
  }
  yield functions.length === 0 ? '</body></html>\n' : '</table></body></html>\n';
}

export const uiHandlers = (provider: Provider, countOf: (key: string) => number) => ({
  page: (async ({ res, namespace }) => {
    const [namespaces, functions] = await Promise.all([provider.namespaces.list(), provider.list(namespace)]);
    res.writeHead(200, {
      ...crossOrigin,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    });
    await writeInSlices(page(namespace, namespaces, functions, countOf), res);
    res.end();
  }) satisfies Run,

  /** The page has no files beside it. */
  missing: (({ res }) => {
    for (const [name, value] of Object.entries(crossOrigin)) res.setHeader(name, value);
    throw pageNotFound();
  }) satisfies Run,

  toPage: (({ res }) => {
    res.writeHead(307, { Location: '/ui/', 'Content-Length': 0 }).end();
  }) satisfies Run,
});
