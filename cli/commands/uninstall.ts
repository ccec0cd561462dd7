// sluice uninstall: takes the gateway out of a Kubernetes cluster. Functions and their namespaces stay unless told.
import { join } from 'node:path';
import { FaasError } from '../../provider/types/errors.ts';
import type { Context } from '../context.ts';
import { addDuration, addSwitch } from '../options.ts';
import type { Define } from '../program.ts';
import { type InstallTarget, openInstallTarget } from '../steps/cluster.ts';
import { type Manifest, nameOf, pathOf, readManifests, toManifests } from '../steps/manifests.ts';
import { basicAuthSecret } from './install.ts';

type Options = {
  readonly kubeconfig?: string;
  readonly all: boolean;
  /** Milliseconds. */
  readonly timeout: number;
};

const untilGone = async (ctx: Context, target: InstallTarget, manifest: Manifest, deadline: number): Promise<void> => {
  while ((await target.find(pathOf(manifest))) !== undefined) {
    if (ctx.now() > deadline)
      throw new FaasError('timeout', `${nameOf(manifest)} is still there; Kubernetes goes on removing it`);
    await ctx.sleep(500, ctx.signal);
  }
};

const uninstall = async (ctx: Context, options: Options): Promise<void> => {
  const files = await readManifests(join(ctx.packageRoot, 'deploy', 'kubernetes'));
  const target = await openInstallTarget(ctx, options.kubeconfig);
  try {
    ctx.stderr.write(`removing from ${target.server}\n`);
    // Whatever was installed: both kinds of rights and the policies.
    const both = [true, false].flatMap((oneNamespace) =>
      toManifests(files, { image: '', replicas: 1, oneNamespace, networkPolicy: true }, target.policyVersion),
    );
    const all = [...new Map([...both, basicAuthSecret('')].map((manifest) => [pathOf(manifest), manifest])).values()];
    const wanted = all.filter(({ kind }) => options.all || kind !== 'Namespace');
    // Namespaces last: they stay until all in them is gone.
    const ordered = [...wanted].reverse().sort((a, b) => Number(a.kind === 'Namespace') - Number(b.kind === 'Namespace'));
    const deadline = ctx.now() + options.timeout;
    const removed: Manifest[] = [];
    for (const manifest of ordered) {
      if (!(await target.remove(manifest))) continue;
      removed.push(manifest);
      ctx.stderr.write(`removed ${nameOf(manifest)}\n`);
    }
    for (const manifest of removed) await untilGone(ctx, target, manifest, deadline);
    ctx.stdout.write(removed.length === 0 ? 'There was nothing to remove.\n' : 'The gateway is gone.\n');
  } finally {
    await target.close();
  }
};

export const define: Define = (command, ctx) => {
  command.option('--kubeconfig <file>', 'names the cluster (else $KUBECONFIG, ~/.kube/config)');
  addSwitch(command, '--all', 'remove the namespaces openfaas and openfaas-fn too, with all functions and secrets');
  addDuration(command, '--timeout <duration>', 'how long to wait until it is gone', '2m');
  command.action(() => uninstall(ctx, command.opts<Options>()));
};
