// What a gateway did at the word of alerts, as its log tells.
import assert from 'node:assert/strict';
import { eventually } from '../helpers/eventually.ts';
import type { RunningGateway } from '../helpers/gateway.ts';

/** For a gateway whose steps are read. */
export const loggingSteps: readonly string[] = ['--log-level', 'info', '--log-format', 'json'];

type Scaling = { readonly fn: string; readonly from: number; readonly to: number; readonly firing: boolean };

/** What the gateway logged of the alerts it obeyed, as `1→3`. */
export const stepsOf = (gateway: RunningGateway, fn: string): string[] =>
  gateway
    .program()
    .stderr()
    .split('\n')
    .filter((line) => line.includes('"scaled by alert"'))
    .map((line) => JSON.parse(line) as Scaling)
    .filter((each) => each.fn === fn)
    .map(({ from, to }) => `${from}→${to}`);

/** The log has a step once it is durable, which may be after the replicas are there. */
export const untilSteps = async (
  gateway: RunningGateway,
  fn: string,
  wanted: readonly string[],
  timeoutMs = 10_000,
): Promise<void> => {
  await eventually(() => stepsOf(gateway, fn).length >= wanted.length, {
    what: `${wanted.length} steps of ${fn}`,
    timeoutMs,
    intervalMs: 100,
  });
  assert.deepEqual(stepsOf(gateway, fn), wanted);
};
