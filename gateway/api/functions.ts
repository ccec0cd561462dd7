// /system/functions and /system/function/{name}: deploy, update, remove, list, describe. OpenFaaS contract, 1.4 and 1.5.
import type { Provider } from '../../provider/provider.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { DeleteFunctionRequest, type FunctionStatus, parseDeployment, toWireStatus } from '../../provider/types/function.ts';
import { formatRef } from '../../provider/types/name.ts';
import { parse } from '../../provider/types/validate.ts';
import { sendEmpty, sendJson, sendList } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';
import type { Timeouts } from '../invoke/table.ts';

type Run = Route['run'];

type Parts = {
  readonly provider: Provider;
  /** Finished calls of `name.namespace`. */
  readonly countOf: (key: string) => number;
  /** Calls of `name.namespace` that were cut at their time limit. */
  readonly timeoutsOf: (key: string) => Timeouts | undefined;
};

/** Only the gateway sees calls that take too long: the provider's conditions, and one about those. */
const withTimeouts = (status: FunctionStatus, timeoutsOf: Parts['timeoutsOf']): FunctionStatus => {
  const timeouts = timeoutsOf(formatRef(status));
  if (timeouts === undefined) return status;
  const { count, lastMs, text } = timeouts;
  const lastTransitionTime = new Date(lastMs).toISOString();
  const calls = count === 1 ? '1 call was' : `${count} calls were`;
  const message = `${calls} cut at the time limit, the last at ${lastTransitionTime}: ${text}`;
  const condition = { type: 'TimedOut', status: 'True', reason: 'Timeout', message, lastTransitionTime } as const;
  return { ...status, conditions: [...(status.conditions ?? []), condition] };
};

type Known = Pick<Parts, 'countOf' | 'timeoutsOf'>;

function* counted(functions: readonly FunctionStatus[], known: Known): Generator<Record<string, unknown>, void> {
  for (const status of functions) {
    yield toWireStatus({ ...withTimeouts(status, known.timeoutsOf), invocationCount: known.countOf(formatRef(status)) });
  }
}

const wantsUsage = (query: URLSearchParams): boolean => {
  const usage = query.getAll('usage').at(-1);
  return usage === '1' || usage === 'true';
};

export const functionHandlers = ({ provider, countOf, timeoutsOf }: Parts) => ({
  list: (async ({ res, namespace }) => {
    await sendList(res, counted(await provider.list(namespace), { countOf, timeoutsOf }));
  }) satisfies Run,

  deploy: (async ({ res, body, namespace }) => {
    await provider.deploy(parseDeployment(body, namespace));
    sendEmpty(res, 202);
  }) satisfies Run,

  update: (async ({ res, body, namespace }) => {
    await provider.update(parseDeployment(body, namespace));
    sendEmpty(res, 202);
  }) satisfies Run,

  remove: (async ({ res, body, namespace }) => {
    const { functionName } = parse(DeleteFunctionRequest, body);
    await provider.remove({ name: functionName, namespace });
    sendEmpty(res, 202);
  }) satisfies Run,

  /** Without `invocationCount`, which only the list has (fact 85). */
  describe: (async ({ res, name, namespace, query }) => {
    const status = await provider.get({ name, namespace }, { usage: wantsUsage(query) });
    if (status === undefined) throw new FaasError('not-found', `function ${name} not found in namespace ${namespace}`);
    sendJson(res, 200, toWireStatus({ ...withTimeouts(status, timeoutsOf), invocationCount: undefined }));
  }) satisfies Run,
});
