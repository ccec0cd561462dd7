// What the store and its database thread say to each other.
import type { ErrorCode } from '../../types/errors.ts';
import { FaasError, toFaasError } from '../../types/errors.ts';
import type { Command, SnapshotPart } from './command.ts';

export type ThreadOptions = {
  readonly file: string;
  readonly defaultNamespace: string;
  readonly migrations: readonly string[];
};

/** An error without its class, which structured cloning does not keep. */
export type PlainError = { readonly code: ErrorCode; readonly message: string };

export type ThreadRequest =
  | { readonly kind: 'write'; readonly id: number; readonly command: Command }
  | { readonly kind: 'close' };

/** One entry for each command of a commit, in the order of the commands. */
export type Written = { readonly id: number; readonly error: PlainError | undefined };

export type ThreadAnswer =
  | { readonly kind: 'part'; readonly part: SnapshotPart }
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly error: PlainError }
  | { readonly kind: 'written'; readonly results: readonly Written[] }
  | { readonly kind: 'closed' };

export const toPlainError = (error: unknown): PlainError => {
  const { code, message } = toFaasError(error);
  return { code, message };
};

export const fromPlainError = ({ code, message }: PlainError): FaasError => new FaasError(code, message);
