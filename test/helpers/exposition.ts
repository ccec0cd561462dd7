// Prometheus' text format, read as strictly as a test wants it.

export type Sample = { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number };

export type Family = { readonly type: string; readonly help: string; readonly samples: readonly Sample[] };

const unescaped = (text: string): string => text.replaceAll(/\\(["\\n])/g, (_, each) => (each === 'n' ? '\n' : each));

const toSample = (line: string): Sample => {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const [, name = '', text = '', value = ''] = match;
  const labels: Record<string, string> = {};
  const rest = text.replaceAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g, (_, label: string, each: string) => {
    if (label in labels) throw new Error(`${label} twice: ${line}`);
    labels[label] = unescaped(each);
    return '';
  });
  if (rest !== '') throw new Error(`no labels: ${line}`);
  return { name, labels, value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) };
};

/** @throws Error for a line that is none of the format's, a family told twice, or a sample outside of its family */
export const parseExposition = (text: string): Map<string, Family> => {
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  const helps = new Map<string, string>();
  let current = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const told = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (told === null) {
      const sample = toSample(line);
      const ending = sample.name.slice(current.length);
      if (!sample.name.startsWith(current) || !['', '_sum', '_count', '_bucket'].includes(ending)) {
        throw new Error(`${sample.name} stands under ${current}`);
      }
      families.get(current)?.samples.push(sample);
      continue;
    }
    const [, what, name = '', rest = ''] = told;
    if (what === 'HELP') helps.set(name, rest);
    else if (families.has(name)) throw new Error(`${name} is told twice`);
    else families.set(name, { type: rest, help: helps.get(name) ?? '', samples: [] });
    current = name;
  }
  return families;
};

/** Names of the labels that the samples of a family have besides `le` and `quantile`, sorted. */
export const labelNames = ({ samples }: Family): string[] => {
  const sets = new Set(
    samples.map(({ labels }) =>
      Object.keys(labels)
        .filter((name) => name !== 'le' && name !== 'quantile')
        .sort()
        .join(),
    ),
  );
  if (sets.size > 1) throw new Error(`different labels: ${[...sets].join(' and ')}`);
  return ([...sets][0] ?? '').split(',').filter((name) => name !== '');
};

/** Upper bounds of a histogram, as text. */
export const boundsOf = ({ samples }: Family): string[] => [
  ...new Set(samples.map(({ labels }) => labels.le).filter((bound) => bound !== undefined)),
];

/** The one sample of that name with these labels and perhaps others. @throws Error when there is none, or several */
export const sampleOf = (families: Map<string, Family>, name: string, labels: Readonly<Record<string, string>> = {}): number => {
  const family = families.get(name) ?? families.get(name.replace(/_(sum|count|bucket)$/, ''));
  const found = (family?.samples ?? []).filter(
    (sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length !== 1) throw new Error(`${found.length} samples of ${name} with ${JSON.stringify(labels)}`);
  return (found[0] as Sample).value;
};
