// Reads from the Dockerfile of an OpenFaaS template what a bundle can honour: the ENV lines that its last stage sees,
// and which watchdog it is made for. Pure; anything that needs a builder (ARG substitution, RUN) is left out.

export type DockerfileFacts = {
  readonly environment: Readonly<Record<string, string>>;
  readonly isClassicWatchdog: boolean;
};

type Stage = { readonly parent: string; readonly name: string | undefined; readonly environment: Record<string, string> };

const joinedLines = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\[ \t]*\n/g, ' ')
    .split('\n')
    .map((line) => line.trim());

const unquote = (text: string): string => text.replace(/^(["'])(.*)\1$/s, '$2').replace(/\\(["' ])/g, '$1');

/** Pairs of one ENV instruction, in both of its forms. */
const pairsOf = (rest: string): [string, string][] => {
  if (/^[\w.]+=/.test(rest)) {
    const pairs = rest.matchAll(/([\w.]+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s\\]|\\.)*)/g);
    return [...pairs].map(([, key, value]) => [key ?? '', unquote(value ?? '')]);
  }
  const match = /^([\w.]+)\s+(.+)$/.exec(rest);
  return match === null ? [] : [[match[1] ?? '', unquote(match[2] ?? '')]];
};

const parseStages = (text: string): Stage[] => {
  const stages: Stage[] = [];
  for (const line of joinedLines(text)) {
    const from = /^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?$/i.exec(line);
    if (from !== null) stages.push({ parent: (from[1] ?? '').toLowerCase(), name: from[2]?.toLowerCase(), environment: {} });
    const env = /^ENV\s+(.+)$/i.exec(line);
    if (env !== null) Object.assign(stages.at(-1)?.environment ?? {}, Object.fromEntries(pairsOf(env[1] ?? '')));
  }
  return stages;
};

const inherited = (stages: readonly Stage[], index: number): Record<string, string> => {
  const stage = stages[index];
  if (stage === undefined) return {};
  const parent = stages.slice(0, index).findLastIndex((each) => each.name === stage.parent);
  return { ...(parent === -1 ? {} : inherited(stages, parent)), ...stage.environment };
};

/** Values with a `$` depend on the builder and are left out, as are those that describe the image's own file system. */
export const readDockerfile = (text: string): DockerfileFacts => {
  const stages = parseStages(text);
  const seen = Object.entries(inherited(stages, stages.length - 1));
  const kept = seen.filter(
    ([key, value]) => !value.includes('$') && !['PATH', 'HOME', 'USER'].includes(key) && !/^npm_/i.test(key),
  );
  return {
    environment: Object.fromEntries(kept),
    isClassicWatchdog: stages.some((stage) => /classic-watchdog/.test(stage.parent)),
  };
};
