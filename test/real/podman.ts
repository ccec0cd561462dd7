// podman with a storage of its own, as root, without systemd: whatever else uses podman on this machine is left alone.
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cleanup, onEnd } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort } from '../helpers/listen.ts';
import { type Exit, runProgram, startProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';

export type Podman = {
  /** What makes other programs use this storage. */
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[]): Promise<Exit & { readonly stdout: string; readonly stderr: string }>;
  /** Runs a function's image on this machine's network; resolves to its address once it answers. */
  serve(image: string, environment?: Readonly<Record<string, string>>): Promise<string>;
};

/**
 * @param registry spoken to by plain HTTP
 * @param settings more of containers.conf
 */
export const createPodman = async (t: Cleanup, registry: string, settings = ''): Promise<Podman> => {
  const dir = await makeTmpDir(t);
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: dir,
    CONTAINERS_STORAGE_CONF: await file(
      'storage.conf',
      `[storage]\ndriver = "overlay"\ngraphroot = "${dir}/root"\nrunroot = "${dir}/run"\n`,
    ),
    CONTAINERS_REGISTRIES_CONF: await file('registries.conf', `[[registry]]\nlocation = "${registry}"\ninsecure = true\n`),
    // Why the limits: podman raises them by default, above what a machine may allow.
    CONTAINERS_CONF: await file(
      'containers.conf',
      '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n' +
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n' +
        settings,
    ),
  };
  // Also when a test is over and nothing else would end it.
  const run: Podman['run'] = (args) => runProgram(t, 'timeout', ['--kill-after=10', '240', 'podman', ...args], { env });
  // The mounts of a storage have to go before its files.
  onEnd(t, async () => {
    await run(['rm', '--all', '--force', '--time', '0']);
    await run(['rmi', '--all', '--force']);
    await rm(join(dir, 'root'), { recursive: true, force: true });
  });

  const serve: Podman['serve'] = async (image, environment = {}) => {
    const name = `sluice-test-${randomBytes(4).toString('hex')}`;
    const port = await freePort();
    const settings = { port: String(port), metrics_port: String(await freePort()), healthcheck_interval: '1s', ...environment };
    const variables = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    // As a cluster would: read-only, without capabilities, and nothing to gain.
    const shielded = ['--read-only', '--cap-drop=all', '--security-opt=no-new-privileges'];
    const args = ['run', '--rm', '--name', name, '--network=host', '--tmpfs', '/tmp', ...shielded, ...variables, image];
    const program = startProgram(t, 'podman', args, { env });
    onEnd(t, async () => void (await run(['rm', '--force', '--time', '0', name])));
    await program.until(/Listening on port/, 60_000);
    const url = `http://127.0.0.1:${port}`;
    const isReady = async (): Promise<boolean> => (await fetch(`${url}/_/ready`)).ok;
    await eventually(isReady, { what: `${image} to be ready` });
    return url;
  };
  return { env, run, serve };
};
