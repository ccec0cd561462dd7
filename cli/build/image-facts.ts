// Answers what `--tag` asks of git and of the handler folder.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FaasError, isFaasError } from '../../provider/types/errors.ts';
import { walkTree } from './files.ts';
import type { ImageFacts } from './image-name.ts';
import { type RunResult, run } from './run.ts';

const md5 = (content: string | Buffer): string => createHash('md5').update(content).digest('hex');

/** OpenFaaS's digest of a handler: md5 over the joined hexadecimal md5s of its regular files, sorted by path. */
export const handlerDigest = async (directory: string): Promise<string> => {
  const entries = await walkTree(directory);
  const sums: string[] = [];
  for (const { path, kind } of entries.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (kind === 'file') sums.push(md5(await readFile(join(directory, path))));
  }
  return md5(sums.join(''));
};

const reason = (result: RunResult | undefined): string => result?.output.trim().split('\n').at(0) ?? 'git is not installed';

/** @param cwd where git is asked; its failures are `invalid` and never part of a name */
export const createImageFacts = (
  cwd: string,
  handlerDir: string,
  env: Readonly<Record<string, string | undefined>>,
): ImageFacts => {
  const git = async (...args: string[]): Promise<string> => {
    const result = await run('git', args, { cwd, env }).catch((error: unknown) => {
      if (isFaasError(error) && error.code === 'not-found') return undefined;
      throw error;
    });
    const answer = result?.stdout.trim() ?? '';
    if (result?.code === 0 && answer !== '') return answer;
    throw new FaasError('invalid', `--tag: expected a git repository with a commit in ${cwd}, got: ${reason(result)}`);
  };
  return {
    commit: () => git('rev-parse', '--short', 'HEAD'),
    branch: () => git('rev-parse', '--abbrev-ref', 'HEAD'),
    describe: () => git('describe', '--tags', '--always'),
    handlerDigest: () => handlerDigest(handlerDir),
  };
};
