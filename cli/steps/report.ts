// How a command that worked on several functions ends: addresses for people, a list for programs, exit code 1 after any failure.

import type { Context } from '../context.ts';
import { STATUS_CODES } from '../node-http.ts';
import { writeJson } from '../output/json.ts';
import { createPaint } from '../output/paint.ts';
import { locate } from '../stack/locate.ts';
import type { StackFunction } from '../stack/stack.ts';
import { ToldFailure } from '../told-failure.ts';
import type { Deployed } from './deploy-function.ts';
import type { Outcome } from './run-all.ts';

/** One line a failure on standard error. @throws ToldFailure when there is one */
export const reportFailures = (ctx: Context, outcomes: readonly Outcome<StackFunction, unknown>[]): void => {
  // Who stopped the program knows why.
  ctx.signal.throwIfAborted();
  const failures = outcomes.filter((each) => !each.ok);
  const paint = createPaint(ctx.stderr, ctx.env);
  for (const { error, item } of failures) ctx.stderr.write(`${paint.bad('error:')} ${locate(item, error)}\n`);
  if (failures.length === 0) return;
  if (outcomes.length > 1) ctx.stderr.write(`${failures.length} of ${outcomes.length} functions failed\n`);
  throw new ToldFailure(`${failures.length} failed`);
};

/** @throws ToldFailure when a function failed */
export const reportDeployed = (ctx: Context, outcomes: readonly Outcome<StackFunction, Deployed>[], json: boolean): void => {
  if (json) {
    const rows = outcomes.map((each) =>
      each.ok ? { ...each.result, status: 'deployed' } : { name: each.item.name, status: 'failed', error: each.error.message },
    );
    writeJson(ctx.stdout, rows);
  } else {
    for (const outcome of outcomes) {
      if (!outcome.ok) continue;
      const { statusCode, url } = outcome.result;
      ctx.stdout.write(`Deployed. ${statusCode} ${STATUS_CODES[statusCode] ?? ''}.\nURL: ${url}\n`);
    }
  }
  reportFailures(ctx, outcomes);
};
