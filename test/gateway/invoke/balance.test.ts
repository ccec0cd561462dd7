import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickEndpoint } from '../../../gateway/invoke/balance.ts';
import { EndpointState } from '../../../gateway/invoke/endpoint.ts';

const endpoint = (id: string, inFlight = 0): EndpointState => {
  const state = new EndpointState({ id, revision: 'r', address: { socketPath: id } });
  state.inFlight = inFlight;
  return state;
};

/** Gives these numbers in turn. */
const rolls = (...values: number[]): (() => number) => {
  let next = 0;
  return () => values[next++ % values.length] as number;
};

test('no endpoint, no choice; one endpoint, that one', () => {
  assert.equal(pickEndpoint([], Math.random), undefined);
  const only = endpoint('a', 9);
  assert.equal(pickEndpoint([only], Math.random), only);
  assert.equal(pickEndpoint([only], Math.random, only), only);
});

test('of two random endpoints the one with fewer calls is chosen, and they are never the same', () => {
  const [a, b, c] = [endpoint('a', 5), endpoint('b', 1), endpoint('c', 0)];
  assert.equal(pickEndpoint([a, b, c], rolls(0, 0)), b);
  assert.equal(pickEndpoint([a, b, c], rolls(0, 0.99)), c);
  assert.equal(pickEndpoint([a, b, c], rolls(0.5, 0)), b);
});

test('an endpoint that has just refused is chosen only when there is no other', () => {
  const [a, b] = [endpoint('a', 0), endpoint('b', 100)];
  for (let i = 0; i < 20; i += 1) assert.equal(pickEndpoint([a, b], Math.random, a), b);
});

test('calls of equal length spread evenly', () => {
  const all = Array.from({ length: 10 }, (_, i) => endpoint(String(i)));
  for (let i = 0; i < 1000; i += 1) {
    const chosen = pickEndpoint(all, Math.random);
    assert.ok(chosen);
    chosen.inFlight += 1;
  }
  for (const each of all) assert.ok(Math.abs(each.inFlight - 100) < 15, `${each.id} has ${each.inFlight}`);
});
