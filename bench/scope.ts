// What a benchmark starts ends with it, as with a test: the helpers of test/ take one for the other.
import type { Cleanup } from '../test/helpers/cleanup.ts';

export type Scope = Cleanup & { close(): Promise<void> };

export const createScope = (): Scope => {
  const hooks: (() => unknown)[] = [];
  return {
    after: (hook) => void hooks.push(hook as () => unknown),
    async close() {
      for (const hook of hooks.splice(0)) await hook();
    },
  };
};
