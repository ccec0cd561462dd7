// The sample function of a gateway's first start: built and uploaded over HTTP like any other.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../client/client.ts';
import { listFunctions } from '../client/functions.ts';
import { listNamespaces } from '../client/namespaces.ts';
import { builtinTemplates, type Context } from '../context.ts';
import { functionOfFlags } from '../stack/to-deployment.ts';
import { type DeployPlan, deployOne } from './deploy-function.ts';

const sampleName = 'hello';

const plan: DeployPlan = {
  flags: { namespace: undefined, env: {}, labels: {}, annotations: {}, constraints: [], secrets: [], readOnly: false },
  update: true,
  replace: false,
  wait: true,
  timeoutMs: 60_000,
  packaging: 'bundle',
  readTemplate: false,
};

/** The names of the default namespace's functions; `undefined` when there are functions in others only. */
const findFunctions = async (client: Client): Promise<string[] | undefined> => {
  const names = (await listFunctions(client, undefined)).map((each) => each.name);
  if (names.length > 0) return names;
  for (const namespace of await listNamespaces(client)) {
    if ((await listFunctions(client, namespace)).length > 0) return undefined;
  }
  return names;
};

/**
 * Deploys the sample when there are no functions. Resolves to its name when it is there.
 * @param dataDir of the gateway, which has it to itself: what is left of a start that was killed is found again
 */
export const deploySample = async (ctx: Context, client: Client, dataDir: string): Promise<string | undefined> => {
  const cwd = join(dataDir, 'sample');
  await rm(cwd, { recursive: true, force: true });
  const names = await findFunctions(client);
  if (names === undefined || names.length > 0) return names?.find((name) => name === sampleName);
  const { buildFunction } = await import('../build/build-function.ts');
  await mkdir(cwd, { recursive: true });
  try {
    const templates = builtinTemplates(ctx);
    const lang = 'node';
    const built = await buildFunction({
      name: sampleName,
      lang,
      handlerDir: join(templates, lang, 'function'),
      image: sampleName,
      cwd,
      builtinTemplatesDir: templates,
      env: ctx.env,
      log: () => undefined,
      signal: ctx.signal,
    });
    const fn = functionOfFlags({ name: sampleName, lang, image: built.image });
    await deployOne(ctx, client, fn, { image: built.image, bundle: built }, plan, () => undefined);
    return sampleName;
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
};

/** A command line that works when pasted; the answer shows that its body arrived. */
export const sampleCall = (url: string, name: string): string => `curl ${url}/function/${name} -d Ada`;
