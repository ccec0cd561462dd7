// Who listens on a port of this machine, for the message of a start that finds it taken. Linux only; elsewhere unknown.
import { readdir, readFile, readlink } from 'node:fs/promises';

const listening = '0A';

/** Inodes of the sockets that listen on the port, from the text of /proc/net/tcp or tcp6. */
export const listenerInodes = (table: string, port: number): string[] => {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes: string[] = [];
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(`:${wanted}`) && fields[3] === listening && fields[9] !== undefined) inodes.push(fields[9]);
  }
  return inodes;
};

const holds = async (pid: string, links: ReadonlySet<string>): Promise<boolean> => {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const file of files) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
    if (links.has(target)) return true;
  }
  return false;
};

/** `process 123 (node server.js)`, or `another process` when the system does not tell. */
export const findPortHolder = async (port: number): Promise<string> => {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')));
  const links = new Set(tables.flatMap((table) => listenerInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (links.size === 0) return 'another process';
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (await holds(pid, links)) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      // The first words name the program; later ones may hold its secrets.
      const shown = command.split('\0').slice(0, 2).join(' ').trim().slice(0, 120);
      return shown === '' ? `process ${pid}` : `process ${pid} (${shown})`;
    }
  }
  return 'a process of another user';
};
