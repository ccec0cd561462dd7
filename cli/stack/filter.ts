// --filter and --regex: which functions of a stack a command works on. Pure.
import { FaasError } from '../../provider/types/errors.ts';
import type { Stack } from './stack.ts';

export type StackFilter = { readonly filter?: string | undefined; readonly regex?: string | undefined };

const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const toMatcher = (given: StackFilter): RegExp | undefined => {
  if (given.filter) return new RegExp(`^${given.filter.split('*').map(escapeRegex).join('.*')}$`);
  if (!given.regex) return undefined;
  try {
    return new RegExp(given.regex);
  } catch (cause) {
    throw new FaasError('invalid', `--regex: expected a regular expression, got ${JSON.stringify(given.regex)}`, { cause });
  }
};

/** @throws invalid when both are given or nothing matches */
export const filterStack = (stack: Stack, given: StackFilter): Stack => {
  if (given.filter && given.regex) throw new FaasError('invalid', 'expected --filter or --regex, got both');
  const matcher = toMatcher(given);
  if (matcher === undefined) return stack;
  const functions = stack.functions.filter((each) => matcher.test(each.name));
  if (functions.length > 0) return { ...stack, functions };
  const names = stack.functions.map((each) => each.name).join(', ') || 'no functions';
  throw new FaasError('invalid', `no function of ${stack.file} matches ${given.filter || given.regex}; it has ${names}`);
};
