// Turns a value that came over the wire into a checked one, or into an error that names field, value and expectation.
import type { z } from 'zod';
import { FaasError } from './errors.ts';

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

const at = (value: unknown, path: readonly PropertyKey[]): unknown => {
  let current = value;
  for (const key of path) current = (current as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return current;
};

/** Every problem as `field: expectation, got value`, joined by `; `. */
export const describeIssues = (error: z.ZodError, value: unknown, root: string): string =>
  error.issues
    .map((issue) => {
      const field = issue.path.length === 0 ? root : issue.path.map(String).join('.');
      const got = at(value, issue.path);
      return `${field}: ${issue.message}, got ${got === undefined ? 'nothing' : shown(got)}`;
    })
    .join('; ');

/**
 * @param root what to call the whole value in messages, such as `body`
 * @throws invalid with all problems at once
 */
export const parse = <Schema extends z.ZodType>(schema: Schema, value: unknown, root = 'body'): z.output<Schema> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FaasError('invalid', describeIssues(result.error, value, root));
};
