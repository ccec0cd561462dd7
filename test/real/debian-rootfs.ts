// A small Debian out of the packages that this machine has installed: what a base image of a registry would hold.
import { realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Cleanup } from '../helpers/cleanup.ts';
import { runProgram } from '../helpers/process.ts';

const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C' };

const outputOf = async (t: Cleanup, program: string, args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await runProgram(t, program, args, { env });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
};

type Package = { readonly essential: boolean; readonly needs: readonly string[] };

/** `libc6 (>= 2.36), a | b` → libc6, a, b: of alternatives those that are installed are taken. */
const namesIn = (depends: string): string[] =>
  depends
    .split(/[,|]/)
    .map((each) => each.trim().split(/[ :]/, 1)[0] ?? '')
    .filter((name) => name !== '');

const installed = async (t: Cleanup): Promise<Map<string, Package>> => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills it in
  const format = '${Package}\t${Essential}\t${Pre-Depends},${Depends}\n';
  const packages = new Map<string, Package>();
  for (const line of (await outputOf(t, 'dpkg-query', ['-W', '-f', format])).split('\n')) {
    const [name = '', essential, depends = ''] = line.split('\t');
    if (name !== '') packages.set(name, { essential: essential === 'yes', needs: namesIn(depends) });
  }
  return packages;
};

const closure = (packages: ReadonlyMap<string, Package>, wanted: readonly string[]): string[] => {
  const found = new Set<string>();
  const add = (name: string): void => {
    const each = packages.get(name);
    if (each === undefined || found.has(name)) return;
    found.add(name);
    each.needs.forEach(add);
  };
  for (const [name, { essential }] of packages) if (essential) add(name);
  wanted.forEach(add);
  return [...found];
};

/** /bin/sh is listed where /bin is a link to /usr/bin: an archive must not write through a link. */
const whereTheyAre = async (paths: ReadonlySet<string>): Promise<string[]> => {
  const folders = new Map<string, string>();
  const real = new Set<string>();
  for (const path of paths) {
    const folder = dirname(path);
    if (!folders.has(folder)) folders.set(folder, await realpath(folder).catch(() => folder));
    real.add(join(folders.get(folder) ?? folder, basename(path)));
  }
  return [...real].sort();
};

/** What no program reads. */
const unread = /^\/usr\/share\/(?:doc|man|info|locale|lintian|bug)\//;

/**
 * Packs Debian's essential packages, `wanted` and all that they need into a tar that `podman import` takes, as the machine
 * has them. @throws Error for a wanted package that is not installed
 */
export const packDebian = async (t: Cleanup, dir: string, wanted: readonly string[]): Promise<string> => {
  const packages = await installed(t);
  for (const name of wanted) if (!packages.has(name)) throw new Error(`the package ${name} is not installed`);
  const listed = await outputOf(t, 'dpkg-query', ['-L', ...closure(packages, wanted)]);
  const paths = new Set(listed.split('\n').filter((path) => path.startsWith('/') && path !== '/.' && !unread.test(path)));
  // Written by the scripts of packages, and so in no package.
  for (const path of ['/etc/passwd', '/etc/group', '/etc/nsswitch.conf', '/etc/ssl/certs/ca-certificates.crt']) paths.add(path);
  const [list, tar] = [join(dir, 'debian.list'), join(dir, 'debian.tar')];
  await writeFile(list, (await whereTheyAre(paths)).map((path) => path.slice(1)).join('\n'));
  const args = ['--create', '--no-recursion', '--ignore-failed-read', '--directory=/', '--verbatim-files-from'];
  await outputOf(t, 'tar', [...args, '--warning=none', `--files-from=${list}`, `--file=${tar}`]);
  return tar;
};
