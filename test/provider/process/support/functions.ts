// Functions for the tests of the embedded provider, and the steps to have them running.
import type { TestContext } from 'node:test';
import type { ProcessProviderOptions } from '../../../../provider/process/index.ts';
import type { Bundles, Provider } from '../../../../provider/provider.ts';
import type { FunctionSpec } from '../../../../provider/types/function.ts';
import { defaultNamespace, type FunctionRef } from '../../../../provider/types/name.ts';
import { createWatcher, type Watcher } from '../../../conformance/watcher.ts';
import { makeHandlerBundle } from '../../../helpers/bundle.ts';
import { onEnd } from '../../../helpers/cleanup.ts';
import { makePlace, type Place } from './make-provider.ts';

/** Evaluates the expression in its body, which may be a promise, and answers it as JSON. */
export const evaluator = `
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
export const handler = async (request) => {
  const run = new Function('fs', 'execFileSync', 'spawn', 'return (' + (await request.text()) + ')');
  try {
    return Response.json({ value: await run(fs, execFileSync, spawn) });
  } catch (error) {
    return Response.json({ error: error.code ?? error.message });
  }
};
`;

export const putSource = async (bundles: Bundles | undefined, source: string): Promise<string> => {
  const { digest, bytes, image } = await makeHandlerBundle('fn', source);
  await bundles?.put(
    digest,
    (async function* () {
      yield bytes;
    })(),
  );
  return image;
};

export type Bench = {
  readonly place: Place;
  readonly provider: Provider;
  readonly watcher: Watcher;
  /** Deploys a function and waits until it answers. */
  run(service: string, source: string, more?: Partial<FunctionSpec>): Promise<FunctionRef>;
  deploy(service: string, source: string, more?: Partial<FunctionSpec>): Promise<FunctionRef>;
  /** What the expression is inside an evaluator. */
  evaluate(ref: FunctionRef, expression: string): Promise<{ value?: unknown; error?: string }>;
};

export const setUp = async (t: TestContext, options: Partial<ProcessProviderOptions> = {}): Promise<Bench> => {
  const place = await makePlace();
  onEnd(t, () => place.remove());
  const provider = await place.open(options);
  onEnd(t, () => provider.close());
  const watcher = createWatcher();
  provider.watch(watcher.observer);
  const deploy: Bench['deploy'] = async (service, source, more = {}) => {
    const image = await putSource(provider.bundles, source);
    const spec = { service, namespace: defaultNamespace, image, ...more };
    await provider.deploy(spec);
    return { name: service, namespace: spec.namespace };
  };
  return {
    place,
    provider,
    watcher,
    deploy,
    run: async (service, source, more) => {
      const ref = await deploy(service, source, more);
      await watcher.untilReady(ref);
      return ref;
    },
    evaluate: async (ref, expression) => {
      const answer = await watcher.call(ref, { method: 'POST', body: expression });
      return JSON.parse(answer.text) as { value?: unknown; error?: string };
    },
  };
};
