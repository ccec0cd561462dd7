// The pages for people, and what tests need to know about them.
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export type Page = { readonly file: string; readonly text: string };

export const readPage = async (file: string): Promise<Page> => ({ file, text: await readFile(`${root}${file}`, 'utf8') });

export const readPages = async (): Promise<Page[]> => {
  const names = (await readdir(`${root}docs`)).filter((name) => name.endsWith('.md'));
  return Promise.all(['README.md', 'CONTRIBUTING.md', ...names.map((name) => `docs/${name}`)].map(readPage));
};

export type Block = { readonly info: string; readonly code: string };

/** Fenced code, with what stands behind the opening fence. */
export const blocksOf = ({ text }: Page): Block[] =>
  [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({ info: match[1] ?? '', code: match[2] ?? '' }));

export const withoutBlocks = ({ text }: Page): string => text.replace(/^```.*\n[\s\S]*?^```$/gm, '');

/** The anchors that headings get: lower case, dashes for spaces, nothing else but letters, digits and dashes. */
export const anchorsOf = (page: Page): string[] =>
  [...withoutBlocks(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
