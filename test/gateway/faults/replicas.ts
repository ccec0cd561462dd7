// A function whose replicas note every call they receive and can be told, one by one, to misbehave.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Mode = 'well' | 'slow' | 'half' | 'refuse';

/**
 * The text of the handler. A replica notes calls in `<pid>.ids`, does what `<pid>.mode` says, and notes that in `<pid>.is`:
 * `slow` answers late, `half` breaks off in the middle of the answer, `refuse` does not listen any more.
 */
export const handlerSource = `
import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { Server } from 'node:net';
const file = process.env.FAULTS_DIR + '/' + process.pid;
const receipts = openSync(file + '.ids', 'a', 0o666);
const servers = () => process._getActiveHandles().filter((each) => each instanceof Server);
let mode = 'well';
let closed;
const apply = (next) => {
  if (next === mode) return;
  mode = next;
  if (mode === 'refuse') {
    const [server] = servers();
    closed = { server, path: server.address() };
    server.close();
  } else if (closed !== undefined) {
    closed.server.listen(closed.path);
    closed = undefined;
  }
  writeFileSync(file + '.is', mode);
};
setInterval(() => {
  try { apply(readFileSync(file + '.mode', 'utf8')); } catch { apply('well'); }
}, 20).unref();
const half = (text) => new ReadableStream({
  start(controller) {
    controller.enqueue(new TextEncoder().encode(text.slice(0, 4)));
    setTimeout(() => controller.error(new Error('half')), 5);
  },
});
export const handler = async (request) => {
  const id = request.headers.get('x-call-id');
  writeSync(receipts, id + '\\n');
  const text = id + '\\n' + (request.method === 'POST' ? await request.text() : '');
  if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, 300));
  return new Response(mode === 'half' ? half(text) : text);
};
`;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

export type Replicas = {
  /** Process ids of those that live. */
  alive(): number[];
  tell(pid: number, mode: Mode): void;
  /** It has heard what it was told last, or is dead. */
  heeds(pid: number): boolean;
  /** By call id, the replicas that received it. */
  receipts(): Map<string, number[]>;
};

export const replicasIn = (dir: string): Replicas => {
  const pids = (): number[] =>
    readdirSync(dir)
      .filter((name) => name.endsWith('.ids'))
      .map((name) => Number(name.slice(0, -4)));
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8');
  return {
    alive: () => pids().filter(isAlive),
    tell: (pid, mode) => writeFileSync(join(dir, `${pid}.mode`), mode),
    heeds: (pid) => !isAlive(pid) || read(`${pid}.is`) === read(`${pid}.mode`),
    receipts() {
      const found = new Map<string, number[]>();
      for (const pid of pids()) {
        const ids = readFileSync(join(dir, `${pid}.ids`), 'utf8').split('\n');
        for (const id of ids) if (id !== '') found.set(id, [...(found.get(id) ?? []), pid]);
      }
      return found;
    },
  };
};
