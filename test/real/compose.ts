// docker-compose.yml under podman-compose: in a copy of this repository, with images, volumes and networks of its own.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../cli/run-cli.ts';
import { type Cleanup, onEnd } from '../helpers/cleanup.ts';
import { freePort } from '../helpers/listen.ts';
import { runProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { createPodman } from './podman.ts';
import { readYaml } from './shipped.ts';
import { imagePrograms, makeStackImages, npmCacheHere, npmCacheInside } from './stack-images.ts';

export const composePrograms: readonly string[] = [...imagePrograms, 'podman-compose', 'prometheus', 'prometheus-alertmanager'];

/** All but Grafana, which nobody packages for Debian: its image cannot be made here. Its files are tested without it. */
export const services = ['gateway', 'prometheus', 'alertmanager'] as const;

const project = 'sluice';

export type Service = (typeof services)[number];

export type Stack = {
  /** The copy of the repository that it runs from. */
  readonly dir: string;
  readonly url: string;
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  /** Ends well, or throws with what it said. */
  compose(...args: readonly string[]): Promise<string>;
  /** Builds an image of that folder. @throws Error with what podman said */
  build(name: string, context: string): Promise<void>;
  /** Runs a function's image; resolves to its address once it answers. */
  serve(image: string): Promise<string>;
  /** Asks a service by the health check that the compose file gives it. */
  isHealthy(service: Service): Promise<boolean>;
  /** What a service has printed, for messages. */
  logsOf(service: Service): Promise<string>;
};

type ComposeFile = { readonly services: Readonly<Record<string, { readonly image: string }>> };

const sources = ['bin', 'cli', 'gateway', 'provider', 'watchdog', 'scripts', 'templates', 'deploy'];
const files = ['Dockerfile', '.dockerignore', 'docker-compose.yml', 'package.json', 'package-lock.json'];

const containerOf = (service: Service): string => `${project}_${service}_1`;

const copyRepository = async (dir: string): Promise<void> => {
  const more = ['tsconfig.json', 'tsconfig.build.json'];
  // A clone has no passwords.
  const filter = (path: string): boolean => !path.startsWith(join(packageRoot, 'deploy', 'compose', 'secrets'));
  for (const name of [...sources, ...files, ...more]) {
    await cp(join(packageRoot, name), join(dir, name), { recursive: true, filter });
  }
};

const nameOfBase = async (): Promise<string> => {
  const text = await readFile(join(packageRoot, 'Dockerfile'), 'utf8');
  const bases = [...text.matchAll(/^FROM (\S+)/gm)].map((match) => match[1] ?? '');
  if (new Set(bases).size !== 1) throw new Error(`Dockerfile: expected one base image, got ${bases.join()}`);
  return bases[0] ?? '';
};

/** Builds what cannot be pulled and, with the repository's own Dockerfile, the gateway; starts nothing. */
export const createStack = async (t: Cleanup): Promise<Stack> => {
  const dir = await makeTmpDir(t);
  await copyRepository(dir);
  const networks = join(dir, 'networks');
  await mkdir(networks);
  const network = `[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "${networks}"\n`;
  const podman = await createPodman(t, 'localhost:1', network);
  const [port, prometheus, alertmanager] = [await freePort(), await freePort(), await freePort()];
  const env = {
    ...podman.env,
    SLUICE_PORT: String(port),
    PROMETHEUS_PORT: String(prometheus),
    ALERTMANAGER_PORT: String(alertmanager),
    // apt finds nothing in a base image that is made here.
    SLUICE_PACKAGES: '',
  };
  const run = async (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> => {
    // Ended together with the podman that it runs, which would outlive it.
    const bounded = ['--kill-after=10', '300', 'podman-compose', '-p', project, ...args];
    const { stdout, stderr, code } = await runProgram(t, 'timeout', bounded, { cwd: dir, env: { ...env, ...more } });
    // It ends with 0 when podman does not.
    const failed = code !== 0 || (/^exit code: [1-9]/m.test(`${stdout}${stderr}`) && !args.includes('down'));
    if (failed) throw new Error(`podman-compose ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
    return stdout + stderr;
  };
  onEnd(t, () => run(['down', '--volumes']));

  const { services: described } = await readYaml<ComposeFile>(join(dir, 'docker-compose.yml'));
  const imageOf = (name: string): string => described[name]?.image ?? '';
  await makeStackImages(t, podman, {
    node: await nameOfBase(),
    prometheus: imageOf('prometheus'),
    alertmanager: imageOf('alertmanager'),
  });
  // Only for the build: packages come out of what npm fetched for this machine.
  const buildConf = join(dir, 'containers.conf');
  const settings = await readFile(podman.env.CONTAINERS_CONF ?? '', 'utf8');
  const volume = `volumes = ["${await npmCacheHere(t)}:${npmCacheInside}:O"]\n`;
  await writeFile(buildConf, settings.replace('[containers]\n', `[containers]\n${volume}`));
  // Layers in between would only be written to be thrown away.
  await run(['build', 'gateway'], { CONTAINERS_CONF: buildConf, BUILDAH_LAYERS: 'false' });
  const local = (free: number): string => `http://127.0.0.1:${free}`;
  return {
    dir,
    url: local(port),
    prometheusUrl: local(prometheus),
    alertmanagerUrl: local(alertmanager),
    compose: (...args) => run(args),
    async build(name, context) {
      const { code, stdout, stderr } = await podman.run(['build', '--pull=never', '--quiet', '--tag', name, context]);
      if (code !== 0) throw new Error(`podman build ${name}\n${stdout}${stderr}`);
    },
    serve: (image) => podman.serve(image),
    isHealthy: async (service) => (await podman.run(['healthcheck', 'run', containerOf(service)])).code === 0,
    async logsOf(service) {
      const { stdout, stderr } = await podman.run(['logs', '--tail', '50', containerOf(service)]);
      return stdout + stderr;
    },
  };
};
