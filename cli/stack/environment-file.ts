// environment_file: files with an `environment` mapping, read relative to the working directory.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import type { StackFunction } from './stack.ts';
import { createYamlReader } from './yaml-reader.ts';

const parseEnvironment = (text: string, file: string): Record<string, string> => {
  const reader = createYamlReader(text, file);
  const entries = reader.problems.length > 0 ? [] : reader.entries(reader.root, 'the environment file');
  const values = reader.texts(entries.find((entry) => entry.key === 'environment')?.value, 'environment');
  if (reader.problems.length > 0) throw new FaasError('invalid', reader.problems.join('\n'));
  return values;
};

/** The function's `environment` with its files laid over it, later ones winning. @throws invalid, not-found naming the file */
export const readEnvironment = async (fn: StackFunction, cwd: string): Promise<Record<string, string>> => {
  const environment = { ...fn.environment };
  for (const file of fn.environmentFiles) {
    let text: string;
    try {
      text = await readFile(resolve(cwd, file), 'utf8');
    } catch (cause) {
      const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
      throw new FaasError('not-found', `environment_file: cannot read ${file}: ${reason}`, { cause });
    }
    Object.assign(environment, parseEnvironment(text, file));
  }
  return environment;
};
