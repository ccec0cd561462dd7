// wrk as load generator, where it is installed (Debian: apt-get install wrk).
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Generator, Measurement, Shape } from './measure.ts';

const run = promisify(execFile);

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

const first = (text: string, pattern: RegExp): RegExpExecArray => {
  const match = pattern.exec(text);
  if (match === null) throw new Error(`wrk printed no ${pattern}:\n${text}`);
  return match;
};

const latency = (text: string, percent: number): number => {
  const [, value, unit] = first(text, new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)`, 'm'));
  return Number(value) * (unitMs[unit ?? ''] ?? Number.NaN);
};

/** @throws Error when the text is no report of `wrk --latency` */
export const parseWrk = (text: string): Measurement => {
  const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return {
    calls: Number(first(text, /^\s+(\d+) requests in /m)[1]),
    callsPerS: Number(first(text, /^Requests\/sec:\s+([\d.]+)/m)[1]),
    p50Ms: latency(text, 50),
    p99Ms: latency(text, 99),
    failures: broken.reduce((sum, count) => sum + Number(count), refused),
  };
};

const script = ({ method, bodyBytes, fresh }: Shape): string =>
  `wrk.method = "${method}"\n` +
  (fresh === true ? 'wrk.headers["Connection"] = "close"\n' : '') +
  (method === 'POST' ? `wrk.body = string.rep("x", ${bodyBytes})\nwrk.headers["Content-Type"] = "text/plain"\n` : '');

const measure = async (shape: Shape): Promise<Measurement> => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-wrk-'));
  try {
    const file = join(dir, 'shape.lua');
    await writeFile(file, script(shape));
    const seconds = Math.max(1, Math.round(shape.durationMs / 1000));
    const threads = Math.min(2, shape.connections);
    const args = [
      '--latency',
      '-t',
      String(threads),
      '-c',
      String(shape.connections),
      '-d',
      `${seconds}s`,
      '-s',
      file,
      shape.url,
    ];
    const { stdout } = await run('wrk', args, { timeout: shape.durationMs + 15_000 });
    return parseWrk(stdout);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/** `undefined` where wrk is not installed. */
export const findWrk = async (): Promise<Generator | undefined> => {
  try {
    // It has no option that only prints the version, and says so with status 1.
    const { stdout } = await run('wrk', ['--version'], { timeout: 5000 }).catch((error: { stdout?: string }) => {
      if (error.stdout === undefined || error.stdout === '') throw error;
      return { stdout: error.stdout };
    });
    return { name: stdout.split('\n')[0]?.split(' Copyright')[0]?.trim() ?? 'wrk', measure };
  } catch {
    return undefined;
  }
};
