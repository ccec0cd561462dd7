// One function to the gateway: settle its image, upload its bundle where there is one, deploy, wait.

import { formatBundleImage } from '../../provider/types/bundle.ts';
import { FaasError } from '../../provider/types/errors.ts';
import { type BundleFile, uploadBundle } from '../client/bundles.ts';
import type { Client } from '../client/client.ts';
import { deployFunction, functionUrl } from '../client/functions.ts';
import { builtinTemplates, type Context } from '../context.ts';
import { readEnvironment } from '../stack/environment-file.ts';
import type { StackFunction } from '../stack/stack.ts';
import { type DeployFlags, toDeployment } from '../stack/to-deployment.ts';
import { waitUntilReady } from './wait-until-ready.ts';

export type DeployPlan = {
  readonly flags: DeployFlags;
  readonly update: boolean;
  readonly replace: boolean;
  readonly wait: boolean;
  readonly timeoutMs: number;
  /** What the gateway runs. */
  readonly packaging: 'bundle' | 'image';
  /** Take `fprocess` of the template when the stack file has none. */
  readonly readTemplate: boolean;
};

export type Deployed = {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly image: string;
  readonly statusCode: number;
  readonly url: string;
  /** Absent when nobody waited for it; false for a function at zero. */
  readonly answers?: boolean;
};

/** An image that is ready to deploy, and the bundle behind it when this run knows it. */
export type Package = { readonly image: string; readonly bundle?: BundleFile | undefined };

const settleProcess = async (ctx: Context, fn: StackFunction, plan: DeployPlan): Promise<string> => {
  // A bundle carries its own command.
  if (fn.fprocess !== '' || plan.packaging === 'bundle') return fn.fprocess;
  if (!plan.readTemplate || fn.lang === '' || fn.lang === 'dockerfile') return '';
  const { findTemplate } = await import('../templates/find.ts');
  const template = await findTemplate(fn.lang, { cwd: ctx.cwd, builtinDir: builtinTemplates(ctx) });
  return template.config.fprocess ?? '';
};

export const packageOfBundle = (image: string, bundle: BundleFile): Package => ({
  image: formatBundleImage({ name: image, digest: bundle.digest }),
  bundle,
});

/** @param step told what happens now */
export const deployOne = async (
  ctx: Context,
  client: Client,
  fn: StackFunction,
  pack: Package,
  plan: DeployPlan,
  step: (text: string) => void,
): Promise<Deployed> => {
  if (pack.image === '') throw new FaasError('invalid', 'image: expected an image name, got nothing');
  const environment = await readEnvironment(fn, ctx.cwd);
  const fprocess = await settleProcess(ctx, fn, plan);
  const deployment = toDeployment(fn, { image: pack.image, environment, fprocess }, plan.flags);
  if (pack.bundle !== undefined) {
    step(`uploading ${Math.ceil(pack.bundle.bytes / 1024)} KiB`);
    await uploadBundle(client, pack.bundle);
  }
  step('deploying');
  const statusCode = await deployFunction(client, deployment, plan);
  const { service: name, namespace } = deployment;
  const deployed = { name, namespace, image: pack.image, statusCode, url: functionUrl(client.gateway, name, namespace) };
  if (!plan.wait) return deployed;
  step('starting');
  return { ...deployed, answers: await waitUntilReady(ctx, client, { name, namespace, timeoutMs: plan.timeoutMs }) };
};

/** The last word of a deployment that went well. */
export const describeDeployed = ({ answers }: Deployed): string =>
  answers === undefined ? 'deployed' : answers ? 'answers' : 'deployed, at zero: the next call starts it';
