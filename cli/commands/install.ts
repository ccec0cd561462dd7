// sluice install: puts the gateway into a Kubernetes cluster and waits until it is ready.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import type { Context } from '../context.ts';
import { addDuration, addSwitch, parseCount } from '../options.ts';
import type { Define } from '../program.ts';
import { type Deployment, type InstallTarget, openInstallTarget } from '../steps/cluster.ts';
import { type Installation, type Manifest, nameOf, pathOf, readManifests, toManifests } from '../steps/manifests.ts';

type Options = Installation & {
  readonly kubeconfig?: string;
  /** Milliseconds. */
  readonly timeout: number;
};

export const namespace = 'openfaas';

/** The credentials of the gateway; those that are there stay. */
export const basicAuthSecret = (password: string): Manifest & { readonly stringData: object } => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'basic-auth', namespace },
  stringData: { 'basic-auth-user': 'admin', 'basic-auth-password': password },
});

const keepCredentials = async (target: InstallTarget): Promise<boolean> => {
  const secret = basicAuthSecret(randomBytes(24).toString('base64url'));
  if ((await target.find(pathOf(secret))) !== undefined) return false;
  await target.apply(secret);
  return true;
};

const isReady = ({ metadata, spec, status }: Deployment & { status?: { updatedReplicas?: number } }): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
  (status?.updatedReplicas ?? 0) === spec.replicas &&
  (status?.availableReplicas ?? 0) === spec.replicas &&
  status?.replicas === spec.replicas;

const untilReady = async (ctx: Context, target: InstallTarget, manifest: Manifest, timeoutMs: number): Promise<void> => {
  const deadline = ctx.now() + timeoutMs;
  for (;;) {
    const deployment = await target.find<Deployment>(pathOf(manifest));
    if (deployment !== undefined && isReady(deployment)) return;
    if (ctx.now() > deadline) {
      const why = deployment === undefined ? 'it is gone' : await target.whyNotReady(deployment, 'app=gateway');
      throw new FaasError('timeout', `the gateway was not ready within ${timeoutMs / 1000}s: ${why}`);
    }
    await ctx.sleep(500, ctx.signal);
  }
};

const howToUse = `
reach it:     kubectl port-forward -n ${namespace} service/gateway 8080:8080
its password: kubectl get secret -n ${namespace} basic-auth -o jsonpath='{.data.basic-auth-password}' | base64 -d
`;

const install = async (ctx: Context, options: Options): Promise<void> => {
  if (options.replicas < 1) throw new FaasError('invalid', `--replicas: expected 1 or more, got ${options.replicas}`);
  const all = await readManifests(join(ctx.packageRoot, 'deploy', 'kubernetes'));
  const target = await openInstallTarget(ctx, options.kubeconfig);
  try {
    ctx.stderr.write(`installing into ${target.server}\n`);
    const manifests = toManifests(all, options, target.policyVersion);
    let made = false;
    for (const manifest of manifests) {
      if (manifest.kind === 'Deployment') made = await keepCredentials(target);
      await target.apply(manifest);
      ctx.stderr.write(`applied ${nameOf(manifest)}\n`);
    }
    ctx.stderr.write(made ? 'made new credentials\n' : 'kept the credentials that were there\n');
    const deployments = manifests.filter(({ kind }) => kind === 'Deployment');
    for (const deployment of deployments) await untilReady(ctx, target, deployment, options.timeout);
    ctx.stdout.write(`The gateway is ready: ${options.replicas} replicas in namespace ${namespace}.\n${howToUse}`);
  } finally {
    await target.close();
  }
};

export const define: Define = (command, ctx) => {
  command.requiredOption('--image <name>', 'image of the gateway');
  command.option('--kubeconfig <file>', 'names the cluster (else $KUBECONFIG, ~/.kube/config)');
  command.option('--replicas <count>', 'gateways', parseCount, 2);
  addSwitch(command, '--one-namespace', 'give the gateway rights in openfaas-fn only, not in the whole cluster');
  addSwitch(command, '--network-policy', 'let functions take calls from the gateway only', true);
  addDuration(command, '--timeout <duration>', 'how long to wait until it is ready', '2m');
  command.action(() => install(ctx, command.opts<Options>()));
};
