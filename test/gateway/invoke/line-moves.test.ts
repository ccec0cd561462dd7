// Whatever happens to a function whose calls are limited: who could run does not wait, who came first goes first, and nobody is
// counted who is not there.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Claim } from '../../../gateway/invoke/acquire.ts';
import type { EndpointState } from '../../../gateway/invoke/endpoint.ts';
import { createLookup } from '../../../gateway/invoke/lookup.ts';
import { uncounted } from '../../../gateway/invoke/metrics.ts';
import { createFunctionTable, type FunctionEntry } from '../../../gateway/invoke/table.ts';
import { createActivator } from '../../../gateway/scale/activate.ts';
import { parseRef } from '../../../provider/types/name.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { createRandom, type Random } from '../../helpers/random.ts';

const key = 'fn.ns';
const ref = parseRef(key);

type Caller = {
  readonly number: number;
  readonly interactive: boolean;
  readonly claim: Claim;
  state: 'waits' | 'runs' | 'ended';
  /** Has had a replica. */
  served: boolean;
  /** Waited while the last replica went: it has its place in another line now. */
  moved: boolean;
  endpoint: EndpointState | undefined;
};

const startFunction = (t: TestContext, random: Random) => {
  const counted = { queued: 0, waiting: 0 };
  const countsOf = () => ({
    ...uncounted,
    queued(change: number) {
      counted.queued += change;
    },
    waiting(change: number) {
      counted.waiting += change;
    },
  });
  const table = createFunctionTable({ countsOf });
  const activator = createActivator({ table, provider: { scale: async () => {} }, waitLimitMs: 60_000 });
  onEnd(t, () => activator.close());
  const lookup = createLookup({ table, provider: { get: async () => undefined }, limitMs: 1000 });
  const parts = { table, activator, lookup, random: random.next };
  let report = { ref, revision: 'r', labels: {}, annotations: {} as Record<string, string>, replicas: 1 };
  table.functionChanged(report);
  const entry = table.get(key) as FunctionEntry;
  const callers = new Set<Caller>();
  const endpoints = new Set<EndpointState>();
  const ends = { served: 0, refused: 0, left: 0 };
  let came = 0;

  const granted = (caller: Caller, endpoint: EndpointState): void => {
    const most = entry.limits.maxInflightPerReplica || Number.POSITIVE_INFINITY;
    assert.ok(endpoint.inFlight <= most, `${endpoint.inFlight} calls in a replica that may have ${most}`);
    for (const each of callers) {
      const passedOver = each.state === 'waits' && each.interactive && !each.served && !each.moved && each.number < caller.number;
      assert.ok(!passedOver || !caller.interactive || caller.served, `${caller.number} goes before ${each.number}`);
    }
    Object.assign(caller, { state: 'runs', served: true, endpoint });
  };

  const end = (caller: Caller, how: keyof typeof ends): void => {
    ends[caller.served ? 'served' : how] += 1;
    caller.state = 'ended';
    callers.delete(caller);
    caller.claim.release();
  };

  const some = (state: Caller['state']): Caller | undefined => {
    const those = [...callers].filter((each) => each.state === state);
    return those.length === 0 ? undefined : random.pick(those);
  };

  const change = (changes: Partial<typeof report>): void => {
    report = { ...report, ...changes };
    table.functionChanged(report);
  };

  const acts = {
    come(): void {
      came += 1;
      const claimant = {
        known() {},
        granted: (endpoint: EndpointState) => granted(caller, endpoint),
        refused: () => end(caller, 'refused'),
      };
      const interactive = random.below(3) > 0;
      const claim = new Claim(parts, claimant, interactive);
      const caller: Caller = {
        number: came,
        interactive,
        claim,
        state: 'waits',
        served: false,
        moved: false,
        endpoint: undefined,
      };
      callers.add(caller);
      claim.begin(key);
    },
    finish(): void {
      const caller = some('runs');
      if (caller !== undefined) end(caller, 'served');
    },
    leave(): void {
      const caller = some('waits');
      if (caller !== undefined) end(caller, 'left');
    },
    refuseConnection(): void {
      const caller = some('runs');
      if (caller?.endpoint === undefined) return;
      caller.endpoint.out = true;
      entry.reroute();
      caller.state = 'waits';
      caller.claim.again();
    },
    recover(): void {
      for (const endpoint of endpoints) endpoint.out = false;
      entry.reroute();
    },
    addReplica(): void {
      const id = `e${came}-${endpoints.size}`;
      table.endpointReady(ref, { id, revision: 'r', address: { socketPath: '/none' } });
      for (const each of entry.revisions.get('r') ?? []) endpoints.add(each);
    },
    dropReplica(): void {
      const endpoint = [...endpoints][random.below(endpoints.size + 1)];
      if (endpoint === undefined) return;
      endpoints.delete(endpoint);
      void table.endpointGone(ref, endpoint.id);
    },
    limit(): void {
      const annotations = {
        'sluice.dev/max-inflight': String(random.pick([0, 1, 3, 10, 40])),
        'sluice.dev/max-inflight-per-replica': String(random.pick([0, 0, 1, 2, 5])),
        'sluice.dev/max-queue': String(random.pick([0, 3, 20, 500])),
        'sluice.dev/max-queue-wait': '0s',
      };
      change({ annotations: random.below(5) === 0 ? {} : annotations });
    },
    scale(): void {
      const before = entry.ready.length;
      change({ replicas: random.below(3) });
      if (before > 0 && entry.ready.length === 0) for (const each of callers) each.moved ||= each.state === 'waits';
    },
  };
  return { entry, callers, endpoints, counted, ends, acts, end, came: () => came };
};

type Function = ReturnType<typeof startFunction>;

const checkNobodyIsForgotten = ({ entry, callers, endpoints, counted }: Function): void => {
  const inLine = entry.gate?.length ?? 0;
  const running = [...callers].filter(({ state }) => state === 'runs').length;
  assert.equal(entry.inFlight, callers.size);
  assert.equal(running + inLine + entry.waiting, callers.size);
  assert.deepEqual(counted, { queued: inLine, waiting: entry.waiting });
  for (const each of endpoints)
    assert.equal(each.inFlight, [...callers].filter((c) => c.endpoint === each && c.state === 'runs').length);
  if (entry.ready.length > 0) assert.equal(entry.waiting, 0);
  if (inLine === 0) return;
  const { maxInflight, maxInflightPerReplica: perReplica } = entry.limits;
  const isFull = maxInflight > 0 && entry.inFlight - inLine >= maxInflight;
  const areFull = perReplica > 0 && entry.ready.length > 0 && entry.ready.every(({ inFlight }) => inFlight >= perReplica);
  assert.ok(isFull || areFull, `${inLine} calls wait and there is place`);
};

test('the line moves whenever there is place, in order, whatever happens meanwhile, and all counts come back to zero', async (t) => {
  const seed = Number(process.env.TEST_SEED ?? 1);
  for (let round = 0; round < 25; round += 1) {
    const random = createRandom(seed + round);
    const fn = startFunction(t, random);
    const names = ['come', 'come', 'come', 'come', 'finish', 'finish', 'leave', 'refuseConnection', 'recover'] as const;
    const seldom = ['addReplica', 'addReplica', 'dropReplica', 'limit', 'scale'] as const;
    for (let step = 0; step < 200; step += 1) {
      const name = random.below(6) === 0 ? random.pick(seldom) : random.pick(names);
      fn.acts[name]();
      // More than fifty are let in over several turns.
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      checkNobodyIsForgotten(fn);
    }
    for (const caller of fn.callers) fn.end(caller, 'left');
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    checkNobodyIsForgotten(fn);
    assert.equal(fn.callers.size, 0);
    assert.equal(fn.ends.served + fn.ends.refused + fn.ends.left, fn.came());
  }
});
