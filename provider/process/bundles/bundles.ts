// Bundles on this machine's disk. `createBundles` in create-bundles.ts makes one.
import type { Bundles } from '../../provider.ts';
import type { BundleConfig } from '../../types/bundle.ts';
import type { Log } from '../log.ts';

/** Who alone may read an unpacked bundle. Needs root. */
export type BundleOwner = {
  readonly uid: number;
  readonly gid: number;
  /** Name of the directory that holds this owner's copies; a namespace's name. */
  readonly area: string;
};

export interface BundleStore extends Bundles {
  /** @throws invalid when no such bundle is here, or when it was built for another platform or Node ABI */
  config(digest: string): Promise<BundleConfig>;
  /**
   * The directory with the bundle's files: made once, the same for every caller. Without an owner it lies in the data
   * directory, readable for the gateway's account; with one it is a copy below `runDir`, readable for its group alone.
   * @throws invalid when no such bundle is here
   */
  unpacked(digest: string, owner?: BundleOwner): Promise<string>;
  /** Removes the copies of an area, as when its namespace goes. */
  removeArea(area: string): Promise<void>;
  /**
   * Removes bundles that are not in use and that nobody has asked for in the last day.
   * @returns their digests
   */
  collect(inUse: ReadonlySet<string>, nowMs: number): Promise<readonly string[]>;
  /** Removes what a killed gateway left half done; safe beside running uploads. */
  sweep(): Promise<void>;
}

export type BundleOptions = {
  readonly dataDir: string;
  /** Where copies for other users go; every user must be able to traverse the path to it (mode 0711). */
  readonly runDir?: string | undefined;
  readonly maxBytes: number;
  readonly log: Log;
  /** ms since 1970 */
  readonly now?: (() => number) | undefined;
  /** What this machine runs; the current process's unless told. */
  readonly machine?: { readonly platform: string; readonly abi: string } | undefined;
};
