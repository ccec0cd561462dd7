// A write to the store as a value: the database thread executes it, and once it is committed the mirror applies it.
// Everything in it survives structured cloning between threads.
import type { FunctionRef } from '../../types/name.ts';
import type { FunctionNamespace } from '../../types/namespace.ts';
import type { SecretRef } from '../../types/secret.ts';

/** A specification as it is kept: JSON, with the digest of its bundle if it names one. */
export type SpecRow = { readonly json: string; readonly digest: string | undefined };

export type FunctionRow = {
  readonly ref: FunctionRef;
  readonly spec: SpecRow;
  readonly replicas: number;
  readonly createdAt: string;
  readonly calledAtMs: number;
};

export type SecretRow = { readonly ref: SecretRef; readonly value: Uint8Array };

export type Command =
  | { readonly kind: 'createFunction'; readonly row: FunctionRow }
  | {
      readonly kind: 'updateFunction';
      readonly ref: FunctionRef;
      readonly spec?: SpecRow | undefined;
      readonly replicas?: number | undefined;
      readonly calledAtMs?: number | undefined;
    }
  | { readonly kind: 'removeFunction'; readonly ref: FunctionRef }
  | { readonly kind: 'createSecret'; readonly row: SecretRow }
  | { readonly kind: 'updateSecret'; readonly row: SecretRow }
  | { readonly kind: 'removeSecret'; readonly ref: SecretRef }
  | { readonly kind: 'createNamespace'; readonly namespace: FunctionNamespace }
  | { readonly kind: 'updateNamespace'; readonly namespace: FunctionNamespace }
  | { readonly kind: 'removeNamespace'; readonly name: string };

/** Some of what the database holds, as it is read on opening. */
export type SnapshotPart = {
  readonly namespaces?: readonly FunctionNamespace[];
  readonly functions?: readonly FunctionRow[];
  readonly secrets?: readonly SecretRow[];
  /** Newest first, after all functions. */
  readonly recentImages?: readonly { readonly ref: FunctionRef; readonly digest: string }[];
};

/** How many bundles of a function are remembered, the current one included. */
export const recentImagesKept = 10;
