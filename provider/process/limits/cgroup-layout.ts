// Where the control groups of this process are, from the kernel's own tables.

export type Layout =
  | { readonly version: 1; readonly memory: string; readonly cpu?: string | undefined; readonly cpuacct?: string | undefined }
  | { readonly version: 2; readonly base: string };

type Mount = { readonly point: string; readonly root: string; readonly type: string; readonly options: readonly string[] };

const plain = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

const parseMounts = (mountinfo: string): Mount[] =>
  mountinfo.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ');
    const fields = left?.split(' ') ?? [];
    const [type, , options] = right?.split(' ') ?? [];
    if (type === undefined || fields[3] === undefined || fields[4] === undefined) return [];
    return [{ root: plain(fields[3]), point: plain(fields[4]), type, options: (options ?? '').split(',') }];
  });

/** The path of a group below its mount; inside a container the mount shows only a part of the hierarchy. */
const below = (mount: Mount, path: string): string => {
  const inside = mount.root !== '/' && path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
  return `${mount.point}${inside}`.replace(/\/+$/, '');
};

/** Layouts to try, the best first. @param cgroup text of /proc/self/cgroup @param mountinfo text of /proc/self/mountinfo */
export const findLayouts = (cgroup: string, mountinfo: string): Layout[] => {
  const mounts = parseMounts(mountinfo);
  const groups = cgroup
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, controllers = '', path = '/']) => ({ controllers: controllers.split(','), path }));

  const version1 = (controller: string): string | undefined => {
    const mount = mounts.find((each) => each.type === 'cgroup' && each.options.includes(controller));
    const group = groups.find((each) => each.controllers.includes(controller));
    return mount === undefined || group === undefined ? undefined : below(mount, group.path);
  };

  const layouts: Layout[] = [];
  const unified = mounts.find((each) => each.type === 'cgroup2');
  const own = groups.find((each) => each.controllers.length === 1 && each.controllers[0] === '');
  if (unified !== undefined && own !== undefined) layouts.push({ version: 2, base: below(unified, own.path) });
  const memory = version1('memory');
  if (memory !== undefined) layouts.push({ version: 1, memory, cpu: version1('cpu'), cpuacct: version1('cpuacct') });
  return layouts;
};
