// The images that docker-compose.yml and Dockerfile name, for a machine that cannot pull them: made of Debian's packages and
// of the Node.js that npm installed, under the same names, with the paths, users and entry points of the real ones.
import { cp, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Cleanup } from '../helpers/cleanup.ts';
import { runProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { packDebian } from './debian-rootfs.ts';
import type { Podman } from './podman.ts';

export const imagePrograms: readonly string[] = ['podman', 'runc', 'dpkg-query', 'tar', 'wget', 'npm'];

const debian = 'localhost/debian';

const nodeFile = `FROM ${debian}
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY npmrc /usr/local/etc/npmrc
COPY certificates.pem /etc/ssl/certs/machine.pem
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/machine.pem
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
CMD ["node"]
`;

const prometheusFile = `FROM ${debian}
COPY prometheus promtool /bin/
RUN mkdir /prometheus && chown 65534:65534 /prometheus
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/bin/prometheus"]
`;

const alertmanagerFile = `FROM ${debian}
COPY prometheus-alertmanager /bin/alertmanager
COPY amtool /bin/amtool
COPY alertmanager /usr/share/prometheus/alertmanager
RUN mkdir /alertmanager && chown 65534:65534 /alertmanager
USER nobody
WORKDIR /alertmanager
VOLUME /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
`;

/** Without what `npm run` puts in front: the npm of the machine, with the Node.js and the settings that it has outside. */
const folders = (process.env.PATH ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
const env = { PATH: folders.join(':'), HOME: process.env.HOME ?? '/' };

/** The folder of npm's own package. @throws Error where there is none on the path */
const findNpm = async (): Promise<string> => {
  for (const folder of folders) {
    const program = await realpath(join(folder, 'npm')).catch(() => undefined);
    if (program !== undefined) return dirname(dirname(program));
  }
  throw new Error(`no npm in ${env.PATH}`);
};

const outputOf = async (t: Cleanup, program: string, args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runProgram(t, program, args, { env });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};

/** Where the npm of an image finds the cache of this machine's npm, mounted while it builds. */
export const npmCacheInside = '/var/cache/npm';
export const npmCacheHere = (t: Cleanup): Promise<string> => outputOf(t, 'npm', ['config', 'get', 'cache']);

/** npm itself, and where this machine has it look for packages: in what it has fetched before, then in its registry. */
const addNpm = async (t: Cleanup, dir: string): Promise<void> => {
  await cp(await findNpm(), join(dir, 'npm'), { recursive: true, dereference: true });
  const registry = await outputOf(t, 'npm', ['config', 'get', 'registry']);
  await writeFile(
    join(dir, 'npmrc'),
    `registry=${registry}\ncache=${npmCacheInside}\nprefer-offline=true\nupdate-notifier=false\n`,
  );
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  await writeFile(join(dir, 'certificates.pem'), certificates === undefined ? '' : await readFile(certificates));
};

export type StackImages = { readonly node: string; readonly prometheus: string; readonly alertmanager: string };

/** @param names what the images are called */
export const makeStackImages = async (t: Cleanup, podman: Podman, names: StackImages): Promise<void> => {
  const dir = await makeTmpDir(t);
  const run = async (args: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await podman.run(args);
    if (code !== 0) throw new Error(`podman ${args.join(' ')}\n${stdout}${stderr}`);
  };
  await run(['import', '--quiet', await packDebian(t, dir, ['libstdc++6', 'libatomic1', 'ca-certificates', 'wget']), debian]);
  const build = async (name: string, text: string, fill: (context: string) => Promise<void>): Promise<void> => {
    const context = join(dir, name.replaceAll(/[^a-z]/g, '-'));
    await mkdir(context);
    await fill(context);
    await writeFile(join(context, 'Dockerfile'), text);
    await run(['build', '--quiet', '--tag', name, context]);
  };
  const copying =
    (...paths: readonly string[]) =>
    async (context: string): Promise<void> => {
      for (const path of paths) await cp(path, join(context, basename(path)), { recursive: true, dereference: true });
    };
  await build(names.node, nodeFile, async (context) => {
    await cp(process.execPath, join(context, 'node'), { dereference: true });
    await addNpm(t, context);
  });
  await build(names.prometheus, prometheusFile, copying('/usr/bin/prometheus', '/usr/bin/promtool'));
  // Debian's looks for the templates of its notifications beside it, where the real image's has them inside.
  const templates = '/usr/share/prometheus/alertmanager';
  await build(names.alertmanager, alertmanagerFile, copying('/usr/bin/prometheus-alertmanager', '/usr/bin/amtool', templates));
};
