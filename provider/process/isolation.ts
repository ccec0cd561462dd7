// Whether functions run as users of their own on this machine, and with what tools.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Tools } from './command.ts';
import type { Log } from './log.ts';

export const secretsMountPoint = '/var/openfaas/secrets';

export type Isolation = {
  /** For people. */
  readonly description: string;
  /** Present when each namespace's functions run as a user of their own. */
  readonly users?:
    | {
        readonly firstId: number;
        readonly tools: Tools | undefined;
        /** Secrets are mounted at /var/openfaas/secrets. */
        readonly mounts: boolean;
      }
    | undefined;
};

export const trusted: Isolation = {
  description:
    'none: functions run under the account of this gateway and are trusted with it; their secrets are in the directory that secret_mount_path names',
};

const idsWanted = 10_000;
/** Where ranges may begin, and how many of them there are: far from the ids of people and of containers, or else where a small container has room. */
const areas = [
  { first: 1_000_000_000, ranges: 100_000 },
  { first: 200_000, ranges: 1 },
  { first: 30_000, ranges: 3 },
];

/**
 * The first user id for namespaces; `undefined` where no range is free, as in a container with few ids.
 * @param map text of /proc/self/uid_map
 * @param instance hexadecimal; gateways of different data directories take different ranges, or their functions could reach each other
 */
export const firstUserId = (map: string, instance: string): number | undefined => {
  const number = Number.parseInt(instance.slice(0, 8), 16);
  const candidates = areas.map(({ first, ranges: count }) => first + (number % count) * idsWanted);
  const ranges = map
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return candidates.find((first) =>
    ranges.some(([start = 0, , length = 0]) => first >= start && first + idsWanted <= start + length),
  );
};

const find = async (name: string): Promise<string | undefined> => {
  for (const dir of ['/usr/bin', '/bin', '/usr/sbin', '/sbin']) {
    const path = join(dir, name);
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return undefined;
};

const findTools = async (): Promise<Tools | undefined> => {
  const [unshare, setpriv, shell, mount] = await Promise.all(['unshare', 'setpriv', 'sh', 'mount'].map(find));
  if (unshare === undefined || setpriv === undefined || shell === undefined || mount === undefined) return undefined;
  return { unshare, setpriv, shell };
};

const run = promisify(execFile);

const canMount = async (tools: Tools): Promise<string | undefined> => {
  try {
    await mkdir(secretsMountPoint, { recursive: true, mode: 0o755 });
    const script = `mount --bind ${secretsMountPoint} ${secretsMountPoint}`;
    await run(tools.unshare, ['--mount', '--propagation', 'slave', '--', tools.shell, '-c', script], { timeout: 5000 });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').at(-1) || error.message : String(error);
  }
};

/** True when every user can reach the file: its directories can be traversed and it can be read. */
export const isOpenToAll = async (path: string): Promise<boolean> => {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined || (file.mode & 0o004) === 0) return false;
  for (let dir = dirname(path); ; dir = dirname(dir)) {
    const info = await stat(dir).catch(() => undefined);
    if (info === undefined || (info.mode & 0o001) === 0) return false;
    if (dir === dirname(dir)) return true;
  }
};

/** Looks at the account and the machine, and says once in the log what functions are trusted with. */
export const detectIsolation = async (parts: { isolate: boolean; instance: string; log: Log }): Promise<Isolation> => {
  const { isolate, instance, log } = parts;
  if (process.getuid?.() !== 0 || !isolate) {
    log.info({}, `isolation: ${trusted.description}`);
    return trusted;
  }
  const firstId = firstUserId(await readFile('/proc/self/uid_map', 'utf8').catch(() => '0 0 4294967295'), instance);
  if (firstId === undefined) {
    const description = `${trusted.description} (no free user ids here)`;
    log.warn({}, `isolation: ${description}`);
    return { description };
  }
  const tools = await findTools();
  const problem = tools === undefined ? 'unshare, setpriv, mount or sh is missing (util-linux)' : await canMount(tools);
  const who = `each namespace's functions run as a user of their own (from ${firstId})`;
  const privileges = tools === undefined ? '' : ', without a way to gain privileges';
  if (problem === undefined) {
    return {
      description: `${who}${privileges}, secrets in a private mount at ${secretsMountPoint}`,
      users: { firstId, tools, mounts: true },
    };
  }
  const description = `${who}${privileges}; secrets cannot be mounted at ${secretsMountPoint} (${problem}), secret_mount_path names their directory`;
  log.warn({}, `isolation: ${description}`);
  return { description, users: { firstId, tools, mounts: false } };
};
