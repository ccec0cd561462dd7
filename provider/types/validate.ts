// Turns a value that came over the wire into a checked one, or into an error that names field, value and expectation.
import type { z } from 'zod';
import { FaasError } from './errors.ts';

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);

const shown = (value: unknown): string => shortened(JSON.stringify(value) ?? String(value));

const at = (value: unknown, path: readonly PropertyKey[]): unknown => {
  let current = value;
  for (const key of path) current = (current as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return current;
};

/** More would make a message nobody reads, as long as the body that caused it. */
const maxProblems = 20;

/** zod's own sentence, where a schema has none, in the form of ours. */
const expectation = (message: string): string => message.replace(/^Invalid \w+: (expected .*?)(, received .*)?$/, '$1');

const describeIssue = (issue: z.core.$ZodIssue, value: unknown, root: string): string => {
  const field = issue.path.length === 0 ? root : shortened(issue.path.map(String).join('.'));
  if (issue.code === 'unrecognized_keys') return `${field}: unknown key ${shortened(issue.keys.join(', '))}`;
  // The path ends with the key; its value is no part of the problem.
  if (issue.code === 'invalid_key') return `${field}: ${issue.message}`;
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
  const described = [...first.values()].slice(0, maxProblems).map((issue) => describeIssue(issue, value, root));
  const more = first.size - described.length;
  return [...described, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
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
