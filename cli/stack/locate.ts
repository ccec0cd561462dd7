// Says where in the stack file the cause of a function's problem stands. Pure.
import { FaasError } from '../../provider/types/errors.ts';
import type { StackFunction } from './stack.ts';

/** What the gateway calls the keys of a stack file. */
const keyOfField: Readonly<Record<string, string>> = {
  envVars: 'environment',
  envProcess: 'fprocess',
  readOnlyRootFilesystem: 'readonly_root_filesystem',
};

/** Keys without which a function cannot be built: a problem with one that is absent is the function's. */
const needed: ReadonlySet<string> = new Set(['lang', 'handler', 'image']);

/** A message of the form `field: problem`. */
const fieldMessage = /^([A-Za-z_]+)((?:\.[^\s:]+)*): /;

const placeOf = (fn: StackFunction, path: string): string | undefined => {
  for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
    const place = fn.places[path.slice(0, end)];
    if (place !== undefined) return place;
  }
  return undefined;
};

const located = (fn: StackFunction, message: string): string | undefined => {
  const match = fieldMessage.exec(message);
  const field = match?.[1] ?? '';
  const key = keyOfField[field] ?? field;
  const place = placeOf(fn, `${key}${match?.[2] ?? ''}`) ?? (needed.has(key) ? fn.place : undefined);
  return place === undefined ? undefined : `${place}: functions.${fn.name}.${key}${message.slice(field.length)}`;
};

/**
 * The problem with `file:line:column` of the key that it is about, whether it was found here or by the gateway, or with the
 * function's name when it is about none: a key that a flag gave, or something that went wrong later.
 */
export const locate = (fn: StackFunction, { message, cause }: Error): string => {
  const place = located(fn, cause instanceof FaasError ? cause.message : message);
  return place ?? (message.includes(fn.name) ? message : `${fn.name}: ${message}`);
};
