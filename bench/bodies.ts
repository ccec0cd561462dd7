// Bodies that are larger than memory should be: how much the processes on their way grow.
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeHandlerBundle } from '../test/helpers/bundle.ts';
import type { Finding } from './aim.ts';
import { startOpenGateway } from './inside.ts';
import { peakSince, watchdogsUnder } from './proc.ts';
import { createScope, type Scope } from './scope.ts';
import { startBench } from './throughput.ts';
import { bodiesSource, startBlank } from './watchdogs.ts';

export type Direction = 'up' | 'down';

export type Transfer = { readonly direction: Direction; readonly bytes: number; readonly slow: boolean };

export type Growth = {
  readonly seconds: number;
  /** From before the body until its peak. */
  readonly proxyBytes: number;
  readonly watchdogBytes: number;
};

export type BodyRow = Transfer & { readonly gateway: Growth; readonly bare: Growth };

/** Reads nothing for two seconds and then this much a second. */
const slowBytesPerS = 128 * 1024 * 1024;
const stallMs = 2000;

const part = Buffer.alloc(65_536, 'x');
const warmUpBytes = 8 * 1024 * 1024;
const allowanceBytes = 20e6;

/** @throws Error when the function did not get all of it */
const upload = async (url: string, { bytes, slow }: Transfer): Promise<void> => {
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(bytes) };
  const outgoing = request(`${url}?slow=${slow}`, { method: 'POST', headers, agent: false });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  outgoing.on('error', reject);
  outgoing.on('response', (incoming) => {
    let text = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    incoming.on('end', () => resolve(text));
    incoming.on('error', reject);
  });
  let left = bytes;
  const send = (): void => {
    while (left > 0) {
      const size = Math.min(left, part.length);
      left -= size;
      if (!outgoing.write(size === part.length ? part : part.subarray(0, size))) return;
    }
    outgoing.end();
  };
  outgoing.on('drain', send);
  send();
  const got = await promise;
  if (got !== String(bytes)) throw new Error(`upload: expected ${bytes} bytes to arrive, got ${got}`);
};

/** @throws Error when less comes than was asked for */
const download = async (url: string, { bytes, slow }: Transfer): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const outgoing = request(`${url}?bytes=${bytes}`, { agent: false });
  outgoing.on('error', reject);
  outgoing.on('response', (incoming) => {
    let got = 0;
    const startMs = performance.now() + stallMs;
    incoming.on('data', (chunk: Buffer) => {
      got += chunk.length;
      const aheadMs = slow ? startMs + (got / slowBytesPerS) * 1000 - performance.now() : 0;
      if (aheadMs < 5) return;
      incoming.pause();
      setTimeout(() => incoming.resume(), aheadMs);
    });
    incoming.on('error', reject);
    incoming.on('end', () => (got === bytes ? resolve() : reject(new Error(`download: expected ${bytes} bytes, got ${got}`))));
  });
  outgoing.end();
  return promise;
};

type Path = { readonly url: string; readonly proxy: number; readonly watchdog: number };

const throughGateway = async (t: Scope): Promise<Path> => {
  const { gateway } = await startOpenGateway(t);
  const annotations = { 'sluice.dev/timeout': '1h' };
  await gateway.deploy('bodies', await makeHandlerBundle('bodies', bodiesSource), { annotations });
  const proxy = gateway.program().pid;
  const [watchdog = 0] = await watchdogsUnder(proxy);
  return { url: `${gateway.url}/function/bodies`, proxy, watchdog };
};

const throughBareProxy = async (t: Scope): Promise<Path> => {
  const blank = await startBlank(t);
  await blank.specialize('bodies');
  const { url, pid } = await startBench(t, 'bare-proxy.ts', '/', blank.socketPath);
  return { url, proxy: pid, watchdog: blank.pid };
};

const grow = async (start: (t: Scope) => Promise<Path>, transfer: Transfer): Promise<Growth> => {
  // Processes of their own: what one body has left would hide the growth by the next.
  const scope = createScope();
  try {
    const { url, proxy, watchdog } = await start(scope);
    const move = transfer.direction === 'up' ? upload : download;
    await move(url, { ...transfer, bytes: Math.min(warmUpBytes, transfer.bytes), slow: false });
    await sleep(500);
    const [proxyGrowth, watchdogGrowth] = [await peakSince(proxy), await peakSince(watchdog)];
    const startedMs = performance.now();
    await move(url, transfer);
    const seconds = (performance.now() - startedMs) / 1000;
    return { seconds, proxyBytes: await proxyGrowth(), watchdogBytes: await watchdogGrowth() };
  } finally {
    await scope.close();
  }
};

/**
 * Each way, at full speed and with a slow reader.
 * @param sizes of the bodies, in bytes
 */
export const measureBodies = async (sizes: readonly number[], progress: (line: string) => void): Promise<BodyRow[]> => {
  const rows: BodyRow[] = [];
  for (const bytes of sizes) {
    for (const direction of ['up', 'down'] as const) {
      for (const slow of [false, true]) {
        const transfer = { direction, bytes, slow };
        progress(nameOf(transfer));
        rows.push({
          ...transfer,
          bare: await grow(throughBareProxy, transfer),
          gateway: await grow(throughGateway, transfer),
        });
      }
    }
  }
  return rows;
};

const nameOf = ({ bytes, direction, slow }: Transfer): string => {
  const mebibytes = bytes / 1024 ** 2;
  const size = mebibytes >= 1024 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`;
  return `${size} ${direction}${slow ? ', slow reader' : ''}`;
};

export const bodyFindings = (row: BodyRow): Finding[] => {
  const name = nameOf(row);
  const inMb = (what: string, value: number): Finding => ({
    what: `${name}: ${what}`,
    value: value / 1e6,
    unit: 'MB',
    digits: 1,
  });
  const aim = { atMost: (row.bare.proxyBytes + allowanceBytes) / 1e6 };
  return [
    inMb('bare proxy grows', row.bare.proxyBytes),
    { ...inMb('gateway grows', row.gateway.proxyBytes), aim },
    { ...inMb('its watchdog grows', row.gateway.watchdogBytes), aim },
    inMb("the bare proxy's watchdog", row.bare.watchdogBytes),
  ];
};

/** Bytes that went through the gateway in a second. */
export const speedOf = (row: BodyRow): { gateway: number; bare: number } => ({
  gateway: row.bytes / row.gateway.seconds,
  bare: row.bytes / row.bare.seconds,
});
