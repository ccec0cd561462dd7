// The Kubernetes that these tests run on: the one that KUBECONFIG names, or one that `up` starts on this machine.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cleanup, onEnd } from '../helpers/cleanup.ts';
import { eventually, within } from '../helpers/eventually.ts';
import { startProgram } from '../helpers/process.ts';

/** What can only be done where the API server runs. */
export type ApiServer = {
  /** Resolves when it has ended and nothing answers at its address. */
  stop(): Promise<void>;
  /** Resolves when it is ready. Running already, it does nothing. */
  start(): Promise<void>;
};

export type Cluster = {
  readonly kubeconfig: string;
  /** `host:port` for image names, the same for this machine and for the nodes; plain http. */
  readonly registry: string;
  readonly apiServer: ApiServer | undefined;
  /** @throws Error with what kubectl printed when it fails */
  kubectl(args: readonly string[], input?: string): Promise<string>;
};

export type Found = { readonly cluster: Cluster } | { readonly missing: string };

const up = fileURLToPath(new URL('up', import.meta.url));

/** A program that belongs to no test in particular. */
const nobody: Cleanup = { after: () => undefined };

/** Longer than the longest thing that is asked of kubectl, which is to drain a node. */
const kubectlMs = 180_000;
/** The first `up` compiles Kubernetes. */
const upMs = 900_000;

type Run = { readonly env?: NodeJS.ProcessEnv; readonly input?: string | undefined; readonly limitMs: number };

const run = async (command: string, args: readonly string[], { env = {}, input, limitMs }: Run): Promise<string> => {
  const full = Object.fromEntries(Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined));
  const options = { env: full as Record<string, string>, ...(input === undefined ? {} : { input }) };
  const program = startProgram(nobody, command, args, options);
  const what = `${command} ${args.join(' ')}`;
  const { code } = await within(program.exited, `${what}: an end`, limitMs).catch((error: Error) => {
    program.kill('SIGKILL');
    throw new Error(`${error.message}\n${program.stderr()}${program.stdout()}`, { cause: error });
  });
  if (code !== 0) throw new Error(`${what}: ended with ${code}\n${program.stderr()}${program.stdout()}`);
  return program.stdout();
};

const kubectlWith =
  (kubeconfig: string): Cluster['kubectl'] =>
  (args, input) =>
    run('kubectl', ['--kubeconfig', kubeconfig, ...args], { input, limitMs: kubectlMs });

/** Settings of a cluster of our own; what is set in the environment wins, so that a second one can stand beside the first. */
const ownSettings = (env: NodeJS.ProcessEnv) => ({
  K8S_DIR: env.K8S_DIR ?? '/var/tmp/k8s',
  NODES: env.NODES ?? '2',
  WITH_REGISTRY: '1',
  KUBECONFIG: undefined,
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const makeApiServer = (settings: ReturnType<typeof ownSettings>, kubectl: Cluster['kubectl']): ApiServer => ({
  async stop() {
    const [text = ''] = (await readFile(join(settings.K8S_DIR, 'run', 'api.pid'), 'utf8')).split(' ');
    const pid = Number(text);
    // Told to end, it would keep its open watches for a minute.
    process.kill(pid, 'SIGKILL');
    await eventually(() => !isAlive(pid), { what: 'the API server has ended', timeoutMs: 10_000 });
    await assert.rejects(kubectl(['get', '--raw', '/readyz', '--request-timeout=2s']), /refused/);
  },
  async start() {
    await run(up, [], { env: settings, limitMs: upMs });
  },
});

const startOwn = async (env: NodeJS.ProcessEnv): Promise<Cluster> => {
  const settings = ownSettings(env);
  const lines = (await run(up, [], { env: settings, limitMs: upMs })).trim().split('\n');
  const kubeconfig = lines.at(-1) ?? '';
  const registry = lines.find((line) => line.startsWith('K8S_REGISTRY='))?.slice('K8S_REGISTRY='.length);
  if (registry === undefined) throw new Error(`${up} started no registry:\n${lines.join('\n')}`);
  const kubectl = kubectlWith(kubeconfig);
  return { kubeconfig, registry, kubectl, apiServer: makeApiServer(settings, kubectl) };
};

const whyNotOwn = async (): Promise<string | undefined> => {
  if (process.getuid?.() !== 0) return 'no KUBECONFIG, and only root can start a cluster here';
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  if (!/^VERSION_CODENAME=bookworm$/m.test(release)) return 'no KUBECONFIG, and a cluster can be started on Debian 12 only';
  return undefined;
};

/**
 * Starts the cluster where that is needed.
 * @throws Error when it does not come up, and instead of `missing` where CI is set: nothing may be skipped there
 */
export const findCluster = async (env: NodeJS.ProcessEnv = process.env): Promise<Found> => {
  const refuse = (missing: string): Found => {
    if (env.CI !== undefined && env.CI !== '') throw new Error(missing);
    return { missing };
  };
  const { KUBECONFIG: kubeconfig, SLUICE_TEST_REGISTRY: registry } = env;
  if (kubeconfig === undefined || kubeconfig === '') {
    const reason = await whyNotOwn();
    return reason === undefined ? { cluster: await startOwn(env) } : refuse(reason);
  }
  if (registry === undefined) return refuse('KUBECONFIG is set, but no SLUICE_TEST_REGISTRY that its nodes pull from');
  return { cluster: { kubeconfig, registry, kubectl: kubectlWith(kubeconfig), apiServer: undefined } };
};

/** The API server, surely running again when the test is over. */
export const breakable = (t: Cleanup, apiServer: ApiServer): ApiServer => {
  onEnd(t, () => apiServer.start());
  return apiServer;
};
