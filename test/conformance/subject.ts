// What a conformance suite is given to work on, and the few steps that all its parts take.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Provider } from '../../provider/provider.ts';
import type { ErrorCode } from '../../provider/types/errors.ts';
import type { FunctionSpec } from '../../provider/types/function.ts';
import type { LogMessage, LogQuery } from '../../provider/types/logs.ts';
import { defaultNamespace, type FunctionRef } from '../../provider/types/name.ts';
import { onEnd } from '../helpers/cleanup.ts';
import type { Kind } from './kinds.ts';
import { createWatcher, patienceMs, type Watcher } from './watcher.ts';

export type Subject = {
  readonly provider: Provider;
  /** The image name of a function of that kind, ready to be deployed. */
  bundleImage(kind: Kind): Promise<string>;
  /** An image that the provider cannot run, such as a bundle nobody uploaded. */
  readonly unknownImage: string;
  /** Closes the provider and opens it again on the same state; absent where nothing is kept. */
  readonly reopen?: () => Promise<Provider>;
  /** Hurries what is left in a removed namespace, where that stays for long; absent where it does not. */
  readonly hasten?: (namespace: string) => Promise<unknown>;
  close(): Promise<void>;
};

export type MakeSubject = (t: TestContext) => Promise<Subject>;

export type Bench = Subject & {
  readonly watcher: Watcher;
  /** A specification in the default namespace, to be changed by `more`. */
  spec(service: string, kind: Kind, more?: Partial<FunctionSpec>): Promise<FunctionSpec>;
  /** Deploys it and waits until all its replicas answer. */
  running(service: string, kind: Kind, more?: Partial<FunctionSpec>): Promise<FunctionRef>;
};

export const refOf = (spec: FunctionSpec): FunctionRef => ({ name: spec.service, namespace: spec.namespace });

/** The subject with a watcher on it; both are closed, and the order of reports is judged, when the test ends. */
export const setUp = async (t: TestContext, make: MakeSubject): Promise<Bench> => {
  const subject = await make(t);
  onEnd(t, () => subject.close());
  const watcher = createWatcher();
  subject.provider.watch(watcher.observer);
  await watcher.until('synced', () => watcher.events.some((event) => event.kind === 'synced'));
  onEnd(t, () => assert.deepEqual(watcher.violations, []));
  const spec = async (service: string, kind: Kind, more: Partial<FunctionSpec> = {}): Promise<FunctionSpec> => ({
    service,
    namespace: defaultNamespace,
    image: await subject.bundleImage(kind),
    ...more,
  });
  return {
    ...subject,
    watcher,
    spec,
    async running(service, kind, more) {
      const deployed = await spec(service, kind, more);
      await subject.provider.deploy(deployed);
      const min = Number(deployed.labels?.['com.openfaas.scale.min'] ?? 1);
      await watcher.untilReady(refOf(deployed), min);
      return refOf(deployed);
    },
  };
};

/** The rejection has that code, and its message every one of the words. */
export const rejects = async (promise: Promise<unknown>, code: ErrorCode, ...words: readonly string[]): Promise<void> => {
  await assert.rejects(promise, (error: Error & { code?: string }) => {
    assert.equal(error.code, code, error.message);
    for (const word of words) assert.ok(error.message.includes(word), `${error.message} should name ${word}`);
    return true;
  });
};

/** Every line that the query gives; the query must not follow. */
export const readLogs = async (provider: Provider, query: Partial<LogQuery> & FunctionRef): Promise<LogMessage[]> => {
  const messages: LogMessage[] = [];
  const lines = provider.logs({ follow: false, ...query }, AbortSignal.timeout(patienceMs));
  for await (const message of lines) messages.push(message);
  return messages;
};
