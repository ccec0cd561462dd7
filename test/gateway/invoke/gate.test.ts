import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EndpointState } from '../../../gateway/invoke/endpoint.ts';
import { type Candidate, Gate } from '../../../gateway/invoke/gate.ts';
import { type CallLimits, noLimits } from '../../../gateway/invoke/limits.ts';
import { FaasError } from '../../../provider/types/errors.ts';

type Door = { readonly gate: Gate; readonly running: Map<string, Candidate>; come(name: string, interactive?: boolean): void };

/** A function behind a gate; `log` gets what becomes of each call. */
const door = (limits: Partial<CallLimits>, log: string[], replicas = 0) => {
  const ready = Array.from({ length: replicas }, (_, i) => {
    return new EndpointState({ id: String(i), revision: 'r', address: { socketPath: String(i) } });
  });
  const gated = { key: 'fn.ns', inFlight: 0, ready };
  const gate = new Gate(gated, { ...noLimits, ...limits });
  const running = new Map<string, Candidate>();
  return {
    gate,
    running,
    gated,
    come(name: string, interactive = true): void {
      const candidate: Candidate = {
        interactive,
        admitted() {
          log.push(name);
          running.set(name, candidate);
        },
        refuse(error) {
          log.push(`${name} ${error.code} ${error.reason}`);
          gated.inFlight -= 1;
          gate.advance();
        },
      };
      gated.inFlight += 1;
      gate.enter(candidate);
    },
    end(name: string): void {
      running.delete(name);
      gated.inFlight -= 1;
      gate.advance();
    },
  } satisfies Door & Record<string, unknown>;
};

test('calls over the limit wait in order and move up as others end; over the line they are refused at once', () => {
  const log: string[] = [];
  const { gate, come, end } = door({ maxInflight: 2, maxQueue: 2 }, log);
  for (const name of ['a', 'b', 'c', 'd', 'e']) come(name);
  assert.deepEqual(log, ['a', 'b', 'e busy MaxInflight']);
  assert.equal(gate.length, 2);
  end('a');
  end('b');
  assert.deepEqual(log.slice(3), ['c', 'd']);
  come('f');
  end('c');
  assert.deepEqual(log.slice(5), ['f']);
});

test('those whom somebody waits for go before the others, and take their place in a full line', () => {
  const log: string[] = [];
  const { come, end } = door({ maxInflight: 1, maxQueue: 2 }, log);
  come('first');
  come('job 1', false);
  come('job 2', false);
  come('job 3', false);
  come('person');
  assert.deepEqual(log, ['first', 'job 3 busy MaxInflight', 'job 2 busy MaxInflight']);
  end('first');
  end('person');
  assert.deepEqual(log.slice(3), ['person', 'job 1']);
});

test('without a line the limit refuses at once', () => {
  const log: string[] = [];
  const { come } = door({ maxInflight: 1, maxQueue: 0 }, log);
  come('a');
  come('b');
  assert.deepEqual(log, ['a', 'b busy MaxInflight']);
});

test('full replicas are a lack of capacity, and a new replica lets waiting calls in', () => {
  const log: string[] = [];
  const { gate, gated, come } = door({ maxInflightPerReplica: 1, maxQueue: 1 }, log, 1);
  const [only] = gated.ready;
  assert.ok(only);
  come('a');
  only.inFlight = 1;
  come('b');
  come('c');
  assert.deepEqual(log, ['a', 'c unavailable NoCapacity']);
  gated.ready.push(new EndpointState({ id: 'new', revision: 'r', address: { socketPath: 'new' } }));
  gate.advance();
  assert.deepEqual(log.slice(2), ['b']);
});

test('who has waited too long is told so, with the limit', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const log: string[] = [];
  const { gate, come, end } = door({ maxInflight: 1, maxQueueWaitMs: 500 }, log);
  come('a');
  come('b');
  t.mock.timers.tick(499);
  come('c');
  assert.deepEqual(log, ['a']);
  t.mock.timers.tick(1);
  assert.deepEqual(log, ['a', 'b busy QueueTimeout']);
  end('a');
  assert.deepEqual(log.slice(2), ['c']);
  assert.equal(gate.length, 0);
});

test('a thousand are let in without holding up the event loop for all of them', async () => {
  const log: string[] = [];
  const { gate, come } = door({ maxInflight: 1, maxQueue: 1000 }, log);
  for (let i = 0; i <= 1000; i += 1) come(String(i));
  gate.limits = noLimits;
  gate.advance();
  assert.equal(log.length, 51);
  while (gate.length > 0) await nextTurn();
  assert.deepEqual(
    log,
    Array.from({ length: 1001 }, (_, i) => String(i)),
  );
});

test('who is sent away by a removal hears why', () => {
  const log: string[] = [];
  const { gate, come } = door({ maxInflight: 1 }, log);
  come('a');
  come('b');
  gate.refuseAll(new FaasError('not-found', 'function fn.ns was removed', { reason: 'Gone' }));
  assert.deepEqual(log, ['a', 'b not-found Gone']);
});

test('replicas that are full are the reason, not a limit of the function that has a place left', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const log: string[] = [];
  const { gate, gated, come } = door({ maxInflight: 3, maxInflightPerReplica: 2, maxQueue: 0 }, log, 1);
  const [only] = gated.ready;
  assert.ok(only);
  come('a');
  come('b');
  only.inFlight = 2;
  come('c');
  gate.limits = { ...gate.limits, maxQueue: 1, maxQueueWaitMs: 500 };
  come('d');
  t.mock.timers.tick(500);
  come('job', false);
  come('e');
  assert.deepEqual(log.slice(2), ['c unavailable NoCapacity', 'd unavailable QueueTimeout', 'job unavailable NoCapacity']);
});

test('a call that was let in and found no place goes before those that came later, and takes the place of the last', () => {
  const log: string[] = [];
  const { gate, gated, running, come } = door({ maxInflight: 3, maxInflightPerReplica: 1, maxQueue: 3 }, log, 1);
  const [only] = gated.ready;
  assert.ok(only);
  for (const name of ['a', 'b', 'c']) come(name);
  only.inFlight = 1;
  for (const name of ['d', 'e', 'f']) come(name);
  for (const name of ['b', 'c']) {
    const candidate = running.get(name);
    assert.ok(candidate);
    assert.equal(gate.hold(candidate), true);
  }
  assert.deepEqual(log.splice(0), ['a', 'b', 'c', 'f unavailable NoCapacity', 'e unavailable NoCapacity']);
  only.inFlight = 0;
  gate.limits = noLimits;
  gate.advance();
  assert.deepEqual(log, ['b', 'c', 'd']);
});

test('nobody is refused because of a line that is just let in', async () => {
  const log: string[] = [];
  const { gate, come } = door({ maxInflight: 1, maxQueue: 200 }, log);
  for (let i = 0; i <= 200; i += 1) come(String(i));
  gate.limits = noLimits;
  gate.advance();
  come('201');
  while (gate.length > 0) await nextTurn();
  assert.deepEqual(
    log,
    Array.from({ length: 202 }, (_, i) => String(i)),
  );
});

test('a thousand are sent away by a removal without holding up the event loop for all of them', async () => {
  const log: string[] = [];
  const { gate, come } = door({ maxInflight: 1, maxQueue: 1000 }, log);
  for (let i = 0; i <= 1000; i += 1) come(String(i));
  gate.refuseAll(new FaasError('not-found', 'function fn.ns was removed'));
  assert.equal(log.length, 51);
  while (gate.length > 0) await nextTurn();
  assert.equal(log.length, 1001);
});
