// What a gateway has acknowledged, and what was under way when it died: for every thing the values that it may have now.
import assert from 'node:assert/strict';

/** What a thing is; null when it is not there. */
export type Value = string | null;

export type Known = {
  /** Something was sent that makes it so; until it is acknowledged, what was before is as good. */
  begin(key: string, value: Value): void;
  acknowledge(key: string, value: Value): void;
  /** Sent together, and so to be done together or not at all. */
  beginGroup(changes: ReadonlyMap<string, Value>): void;
  acknowledgeGroup(changes: ReadonlyMap<string, Value>): void;
  allowed(key: string): readonly Value[];
  /** Whether it is there, when there is no doubt about that. */
  has(key: string): boolean;
  keys(prefix: string): string[];
  /** Compares with what is there now, which then is what is known. @throws AssertionError */
  observe(found: ReadonlyMap<string, string>): void;
  /** As `observe` of one, whose value is seen only now. */
  confirm(key: string, value: string): void;
};

/** Stands for a thing that shows only that it is there. */
export const present = '(present)';

export const createKnown = (): Known => {
  const values = new Map<string, readonly Value[]>();
  let groups: ReadonlyMap<string, Value>[] = [];

  const allowed = (key: string): readonly Value[] => values.get(key) ?? [null];
  const begin = (key: string, value: Value): void => void values.set(key, [...new Set([...allowed(key), value])]);
  const acknowledge = (key: string, value: Value): void => void values.set(key, [value]);

  const settle = (key: string, found: string | undefined): void => {
    const may = allowed(key);
    const left = found === present ? may.filter((value) => value !== null) : may.filter((value) => value === (found ?? null));
    assert.notDeepEqual(left, [], `${key}: expected ${JSON.stringify(may)}, found ${JSON.stringify(found ?? null)}`);
    values.set(key, left);
  };

  const checkGroups = (): void => {
    for (const group of groups) {
      const done = [...group].map(([key, value]) => allowed(key).includes(value));
      assert.equal(new Set(done).size, 1, `done in part: ${JSON.stringify([...group])} is ${JSON.stringify(done)}`);
    }
    groups = [];
  };

  return {
    begin,
    acknowledge,
    beginGroup: (changes) => {
      groups.push(changes);
      for (const [key, value] of changes) begin(key, value);
    },
    acknowledgeGroup: (changes) => {
      groups = groups.filter((group) => group !== changes);
      for (const [key, value] of changes) acknowledge(key, value);
    },
    allowed,
    has: (key) => {
      const may = allowed(key);
      assert.ok(!may.includes(null) || may.length === 1, `${key} is in doubt: ${JSON.stringify(may)}`);
      return may[0] !== null;
    },
    keys: (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
    observe: (found) => {
      for (const key of new Set([...values.keys(), ...found.keys()])) settle(key, found.get(key));
      checkGroups();
    },
    confirm: settle,
  };
};
