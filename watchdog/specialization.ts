// Checks the body of `POST /_/specialize`.
import type { Specialization } from '../provider/types/specialize.ts';
import { StartError } from './start-error.ts';

type Fields = Readonly<Record<string, unknown>>;

const isTexts = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((each) => typeof each === 'string');

const isId = (value: unknown): boolean =>
  value === undefined || (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32 - 1);

/** @throws StartError (`Invalid`) naming every bad field */
export const parseSpecialization = (text: string): Specialization => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StartError('Invalid', `body: expected JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null) throw new StartError('Invalid', 'body: expected an object');
  const fields = value as Fields;
  const problems: string[] = [];
  for (const name of ['name', 'namespace', 'root', 'mode'] as const) {
    if (typeof fields[name] !== 'string' || fields[name] === '') {
      problems.push(`${name}: expected a text, got ${JSON.stringify(fields[name])}`);
    }
  }
  if (fields.handler !== undefined && typeof fields.handler !== 'string') problems.push('handler: expected a path');
  if (!isTexts(fields.environment)) problems.push('environment: expected an object of texts');
  for (const name of ['uid', 'gid'] as const) {
    if (!isId(fields[name])) problems.push(`${name}: expected a number, got ${JSON.stringify(fields[name])}`);
  }
  if (problems.length > 0) throw new StartError('Invalid', problems.join('; '));
  return fields as unknown as Specialization;
};
