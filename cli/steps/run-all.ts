// Works on several functions at once; the failure of one stops none of the others.
import { type FaasError, toFaasError } from '../../provider/types/errors.ts';

export type Outcome<Item, Result> =
  | { readonly item: Item; readonly ok: true; readonly result: Result }
  | { readonly item: Item; readonly ok: false; readonly error: FaasError };

/** Outcomes in the order of the items; at most `parallel` run at a time. */
export const runAll = async <Item, Result>(
  items: readonly Item[],
  parallel: number,
  work: (item: Item) => Promise<Result>,
): Promise<Outcome<Item, Result>[]> => {
  const outcomes: Outcome<Item, Result>[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      try {
        outcomes[index] = { item, ok: true, result: await work(item) };
      } catch (error) {
        outcomes[index] = { item, ok: false, error: toFaasError(error) };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(parallel, items.length)) }, worker));
  return outcomes;
};
