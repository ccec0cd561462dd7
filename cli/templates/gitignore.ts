// What `sluice new` makes git ignore.

const ignoredByGit = ['template', 'build', '.secrets'] as const;

/** The text of .gitignore with the lines that were missing; `undefined` when it has them all. */
export const withIgnoredLines = (text: string): string | undefined => {
  const lines = new Set(text.split(/\r?\n/));
  const missing = ignoredByGit.filter((line) => !lines.has(line));
  if (missing.length === 0) return undefined;
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${start}${missing.join('\n')}\n`;
};
