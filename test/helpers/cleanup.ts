// What a test made is undone in reverse order: node:test runs its `after` hooks first come, first served, which would take
// the directory away from under the server that was started in it.
import type { TestContext } from 'node:test';

/** What is asked of a test, or of a program that stands in for one. */
export type Cleanup = Pick<TestContext, 'after'>;

type Step = () => unknown;

// Kept here because the test context has no place of its own for it.
const stepsOf = new WeakMap<Cleanup, Step[]>();

const unwind = async (steps: Step[]): Promise<void> => {
  const failures: unknown[] = [];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
};

/** Runs `step` when the test is over, before everything that was registered this way earlier; also after a failed one. */
export const onEnd = (t: Cleanup, step: Step): void => {
  const steps = stepsOf.get(t) ?? [];
  if (!stepsOf.has(t)) {
    stepsOf.set(t, steps);
    t.after(() => unwind(steps));
  }
  steps.push(step);
};
