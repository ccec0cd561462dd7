// Gateways and functions that can be asked what they hold.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { makeBundle, type TestBundle } from '../test/helpers/bundle.ts';
import { eventually } from '../test/helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../test/helpers/gateway.ts';
import { makeTmpDir } from '../test/helpers/tmp.ts';
import { expectStatus, settle } from './functions.ts';
import type { Scope } from './scope.ts';
import type { GatewaySnapshot, Snapshot } from './snapshot.ts';

const inDir = (name: string): URL => new URL(name, import.meta.url);

export type OpenGateway = {
  readonly gateway: RunningGateway;
  snapshot(): Promise<GatewaySnapshot>;
  /** Begins a collection; the system gets the memory that it frees back over the next half minute. */
  collect(): void;
};

/** A gateway without functions, with `probe.ts` in it. @param turns watch the turns of its event loop, too */
export const startOpenGateway = async (t: Scope, turns = false): Promise<OpenGateway> => {
  const file = join(await makeTmpDir(t), 'snapshot.json');
  const gateway = await startGateway(t, {
    args: ['--pool-size', '0', '--park-idle', '0', '--log-level', 'warn'],
    env: {
      NODE_OPTIONS: `--import=${inDir('probe.ts')}`,
      SLUICE_BENCH_SNAPSHOT: file,
      ...(turns ? { SLUICE_BENCH_TURNS: '1' } : {}),
    },
  });
  await removeSample(gateway);
  await settle(gateway, 0);
  return {
    gateway,
    collect: () => process.kill(gateway.program().pid, 'SIGWINCH'),
    async snapshot() {
      await rm(file, { force: true });
      process.kill(gateway.program().pid, 'SIGUSR2');
      const text = await eventually(() => readFile(file, 'utf8').catch(() => ''), {
        what: 'the gateway has counted',
        timeoutMs: 120_000,
      });
      return JSON.parse(text);
    },
  };
};

/** A new gateway deploys a sample function, which would be in the way of counting. */
export const removeSample = async (gateway: RunningGateway): Promise<void> => {
  await gateway.program().until(/curl .*\/function\/hello/);
  expectStatus(await gateway.control('DELETE', '/system/functions', { functionName: 'hello' }), 202, 'removal of the sample');
};

const openHandler = `import { takeSnapshot } from './snapshot.mjs';
export const handler = async (request) => {
  if (request.method === 'POST') return new Response(await request.text());
  return new URL(request.url).pathname.endsWith('/snapshot') ? Response.json(takeSnapshot()) : new Response('hello');
};`;

/** As the function of the throughput measurements; GET /snapshot answers what its watchdog holds. */
export const makeOpenBundle = async (name: string): Promise<TestBundle> => {
  const source = await readFile(fileURLToPath(inDir('snapshot.ts')), 'utf8');
  const { code: snapshot } = await transform(source, { loader: 'ts' });
  const config = { mode: 'inproc', handler: 'handler.mjs', environment: { handler_style: 'web' } } as const;
  return makeBundle(name, config, { 'handler.mjs': openHandler, 'snapshot.mjs': snapshot });
};

export const snapshotOfFunction = async (gateway: RunningGateway, name: string): Promise<Snapshot> => {
  const answer = await gateway.call(name, { path: '/snapshot', headers: { Connection: 'close' } });
  expectStatus(answer, 200, `snapshot of ${name}`);
  return JSON.parse(answer.text);
};
