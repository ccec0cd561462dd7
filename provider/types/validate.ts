// Turns a value that came over the wire into a checked one, or into an error that names field, value and expectation.
import type { z } from 'zod';
import { FaasError } from './errors.ts';

/** At most 80 characters of it: a message must not be as long as the body that caused it. */
export const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);

/** A value as it stands in messages. */
export const shown = (value: unknown): string => shortened(JSON.stringify(value) ?? String(value));

const at = (value: unknown, path: readonly PropertyKey[]): unknown => {
  let current = value;
  for (const key of path) current = (current as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return current;
};

/** More would make a message nobody reads. */
const maxProblems = 20;

/** The first 20, and how many more, separated by `; `. */
export const joinFirst = <T>(problems: readonly T[], describe: (problem: T) => string): string => {
  const more = problems.length - maxProblems;
  return [...problems.slice(0, maxProblems).map(describe), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
};

/** zod's own sentence, where a schema has none, in the form of ours. */
const expectation = (message: string): string =>
  message.replace(/^Invalid \w+: (expected .*?)(, received .*)?$/, '$1').replace(/^expected object$/, 'expected an object');

const describeIssue = (issue: z.core.$ZodIssue, value: unknown, root: string): string => {
  const field = issue.path.length === 0 ? root : shortened(issue.path.map(String).join('.'));
  if (issue.code === 'unrecognized_keys') return `${field}: unknown key ${shortened(issue.keys.join(', '))}`;
  // The path ends with the key; its value is no part of the problem.
  if (issue.code === 'invalid_key') return `${field}: ${issue.message}, got ${shown(issue.path.at(-1))}`;
  const got = at(value, issue.path);
  return `${field}: ${expectation(issue.message)}, got ${got === undefined ? 'nothing' : shown(got)}`;
};

/** The first problem of every field (20 at most, and how many more) as `field: expectation, got value`, joined by `; `. */
export const describeIssues = (error: z.ZodError, value: unknown, root: string): string => {
  const first = new Map<string, z.core.$ZodIssue>();
  for (const issue of error.issues) {
    const field = issue.path.map(String).join('.');
    if (!first.has(field)) first.set(field, issue);
  }
  return joinFirst([...first.values()], (issue) => describeIssue(issue, value, root));
};

/**
 * @param root what to call the whole value in messages, such as `body`
 * @throws invalid with all problems at once
 */
export const parse = <Schema extends z.ZodType>(schema: Schema, value: unknown, root = 'body'): z.output<Schema> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FaasError('invalid', describeIssues(result.error, value, root));
};
