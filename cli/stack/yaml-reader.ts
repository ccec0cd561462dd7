// Reads YAML into plain values by hand: scalars keep the text they were written with (1.10, yes, 0x10), and every
// problem knows its line and column.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
} from 'yaml';

export type Entry = { readonly key: string; readonly place: string; readonly value: Node | undefined };

export type YamlReader = {
  readonly root: Node | undefined;
  /** `file:line:column: problem`, in the order they were met. */
  readonly problems: string[];
  readonly placeOf: (node: Node | undefined) => string;
  /** Where the keys of a mapping and of the mappings in it stand, by their dotted path. */
  readonly places: (node: Node | undefined) => Record<string, string>;
  /** Entries of a mapping, merge keys resolved; none for an absent or null node. */
  readonly entries: (node: Node | undefined, field: string) => Entry[];
  /** A scalar as it was written; null is empty. */
  readonly text: (node: Node | undefined, field: string) => string;
  readonly list: (node: Node | undefined, field: string) => string[];
  readonly texts: (node: Node | undefined, field: string) => Record<string, string>;
  readonly flag: (node: Node | undefined, field: string) => boolean;
};

const kindOf = (node: Node): string => (isMap(node) ? 'a mapping' : isSeq(node) ? 'a list' : `the text ${JSON.stringify(node)}`);

const isNull = (node: Node): boolean =>
  isScalar(node) && node.type === 'PLAIN' && ['', '~', 'null', 'Null', 'NULL'].includes(String(node.value));

const firstDocument = (text: string, lines: LineCounter): Document | undefined => {
  // Why failsafe: in this schema every scalar is its own text.
  const documents = parseAllDocuments(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  return Array.isArray(documents) ? documents[0] : undefined;
};

const placesIn = (node: Node | undefined, placeOf: YamlReader['placeOf'], prefix = ''): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const pair of isMap(node) ? (node.items as Pair[]) : []) {
    if (!isScalar(pair.key)) continue;
    const path = `${prefix}${String(pair.key.value)}`;
    found[path] = placeOf(pair.key);
    if (isMap(pair.value)) Object.assign(found, placesIn(pair.value, placeOf, `${path}.`));
  }
  return found;
};

/** @param file its name in messages */
export const createYamlReader = (yaml: string, file: string): YamlReader => {
  const lines = new LineCounter();
  const document = firstDocument(yaml, lines);
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problems = (document?.errors ?? []).map((error) => `${at(error.pos[0])}: ${error.message}`);
  const placeOf = (node: Node | undefined): string => (node?.range ? at(node.range[0]) : `${file}:1:1`);

  const settle = (node: unknown): Node | undefined => {
    const target = isAlias(node) && document !== undefined ? node.resolve(document) : node;
    return isNode(target) && !isNull(target) ? target : undefined;
  };
  const wrong = (node: Node, field: string, expected: string): void => {
    problems.push(`${placeOf(node)}: ${field}: expected ${expected}, got ${kindOf(node)}`);
  };

  const text = (given: Node | undefined, field: string): string => {
    const node = settle(given);
    if (node === undefined) return '';
    if (isScalar(node)) return String(node.value);
    wrong(node, field, 'a text');
    return '';
  };
  const entries = (given: Node | undefined, field: string, depth = 0): Entry[] => {
    const node = settle(given);
    if (node === undefined) return [];
    if (!isMap(node)) {
      wrong(node, field, 'a mapping');
      return [];
    }
    const own = new Map<string, Entry>();
    const merged = new Map<string, Entry>();
    for (const pair of node.items as Pair[]) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (isNode(pair.key) && !isScalar(pair.key)) wrong(pair.key, field, 'a text as key');
      const value = isNode(pair.value) ? pair.value : undefined;
      if (key === '<<' && depth < 8) {
        for (const source of sources(value))
          for (const entry of entries(source, field, depth + 1)) merged.set(entry.key, merged.get(entry.key) ?? entry);
      } else own.set(key, { key, value, place: placeOf(isNode(pair.key) ? pair.key : undefined) });
    }
    return [...own.values(), ...[...merged.values()].filter((entry) => !own.has(entry.key))];
  };
  const sources = (value: Node | undefined): (Node | undefined)[] => {
    const node = settle(value);
    return isSeq(node) ? (node.items as Node[]) : [node];
  };
  const list = (given: Node | undefined, field: string): string[] => {
    const node = settle(given);
    if (node === undefined) return [];
    if (isSeq(node)) return node.items.map((item, index) => text(isNode(item) ? item : undefined, `${field}.${index}`));
    wrong(node, field, 'a list');
    return [];
  };
  const texts = (node: Node | undefined, field: string): Record<string, string> =>
    Object.fromEntries(entries(node, field).map((entry) => [entry.key, text(entry.value, `${field}.${entry.key}`)]));
  const flag = (given: Node | undefined, field: string): boolean => {
    const node = settle(given);
    if (node === undefined) return false;
    const value = isScalar(node) && node.type === 'PLAIN' ? String(node.value).toLowerCase() : '';
    if (value !== 'true' && value !== 'false') wrong(node, field, 'true or false without quotes');
    return value === 'true';
  };
  const root = isNode(document?.contents) ? document.contents : undefined;
  const places = (node: Node | undefined): Record<string, string> => placesIn(settle(node), placeOf);
  return { root, problems, placeOf, places, entries, text, list, texts, flag };
};
