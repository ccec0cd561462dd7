// Work on the same thing one after another, in the order it was asked for; different things at once.

export type Chain = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;

export const createChains = (): Chain => {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const result = (tails.get(key) ?? Promise.resolve()).then(work, work);
    const tail = result.then(
      () => undefined,
      () => undefined,
    );
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return result;
  };
};
