// The real gateway as a process of its own: `sluice gateway` from dist/, on free ports, with an empty home and data directory.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionDeployment, FunctionStatus } from '../../provider/types/function.ts';
import { makeHandlerBundle, type TestBundle } from './bundle.ts';
import { type CallAnswer, type CallOptions, call } from './call.ts';
import { type Cleanup, onEnd } from './cleanup.ts';
import { eventually } from './eventually.ts';
import { freePort } from './listen.ts';
import { type Program, type ProgramOptions, runProgram, startProgram } from './process.ts';
import { makeTmpDir } from './tmp.ts';

/** The launcher that `npm install` puts on the PATH. */
export const sluice = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

export type GatewayOptions = {
  /** More arguments of `sluice gateway`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A data directory that exists already. */
  readonly dataDir?: string;
  /** A command that runs the gateway in its place, such as one that changes the user. */
  readonly under?: readonly string[];
};

export type RunningGateway = {
  readonly url: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly home: string;
  readonly dataDir: string;
  readonly user: string;
  readonly password: string;
  /** The process that runs now. */
  program(): Program;
  /** A request of the control API with the gateway's credentials; objects are sent as JSON. */
  control(method: string, path: string, body?: unknown): Promise<CallAnswer>;
  /** A call of a function: `call('fn', { path: '/x' })`. */
  call(name: string, options?: CallOptions): Promise<CallAnswer>;
  /** Uploads the bundle, deploys it and waits until a replica answers. */
  deploy(name: string, bundle: TestBundle, more?: Partial<FunctionDeployment>): Promise<FunctionStatus>;
  /** Deploys a module that exports `handler(request)`. */
  deployHandler(name: string, source: string, more?: Partial<FunctionDeployment>): Promise<FunctionStatus>;
  /** Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same ports and data directory, after `kill`. */
  restart(): Promise<void>;
  /** Begins to start it again as `restart` does, and waits for nothing. */
  launch(): void;
  /** Runs the CLI with the gateway's home, as the user of this machine would. */
  sluice(args: readonly string[], options?: ProgramOptions): ReturnType<typeof runProgram>;
};

const expectStatus = (answer: CallAnswer, what: string, ...good: readonly number[]): void => {
  if (!good.includes(answer.status)) throw new Error(`${what}: status ${answer.status}: ${answer.text}`);
};

/** @throws Error with the program's output when it does not come up */
export const startGateway = async (t: Cleanup, options: GatewayOptions = {}): Promise<RunningGateway> => {
  const home = await makeTmpDir(t);
  const dataDir = options.dataDir ?? join(home, 'data');
  const [port, metricsPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const env = {
    HOME: home,
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    SLUICE_DATA_DIR: dataDir,
    OPENFAAS_URL: url,
    ...options.env,
  };
  const args = ['gateway', '--port', String(port), '--metrics-port', String(metricsPort), ...(options.args ?? [])];
  const agent = new Agent({ keepAlive: true });
  onEnd(t, () => agent.destroy());

  const launch = (): Program => {
    const [command = process.execPath, ...words] = [...(options.under ?? []), process.execPath, sluice, ...args];
    const started = startProgram(t, command, words, { env, cwd: home });
    // Before the kill that `startProgram` has registered: functions get the chance to end properly.
    onEnd(t, async () => {
      started.kill('SIGTERM');
      await Promise.race([started.exited, once(AbortSignal.timeout(8000), 'abort')]);
    });
    return started;
  };

  const start = async (): Promise<Program> => {
    const started = launch();
    const gone = new AbortController();
    started.exited.then(
      () => gone.abort(),
      () => gone.abort(),
    );
    await eventually(
      async () => {
        if (gone.signal.aborted) return 'ended' as const;
        return (await call(url, { path: '/healthz', timeoutMs: 1000 })).status === 200;
      },
      { what: 'GET /healthz answers 200', timeoutMs: 30_000 },
    );
    if (gone.signal.aborted) throw new Error(`the gateway ended\n${started.stdout()}${started.stderr()}`);
    return started;
  };

  let program = await start();
  const credential = async (name: string): Promise<string> =>
    (await readFile(join(dataDir, 'credentials', `basic-auth-${name}`), 'utf8')).trim();
  const [user, password] = [await credential('user'), await credential('password')];
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

  const control = (method: string, path: string, body?: unknown): Promise<CallAnswer> => {
    const raw = body === undefined || body instanceof Uint8Array || typeof body === 'string';
    return call(url, {
      method,
      path,
      agent,
      headers: {
        Authorization: authorization,
        ...(body === undefined ? {} : { 'Content-Type': raw ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: raw ? (body as string | Uint8Array) : JSON.stringify(body) }),
    });
  };

  const deploy = async (name: string, bundle: TestBundle, more: Partial<FunctionDeployment> = {}): Promise<FunctionStatus> => {
    const uploaded = await control('PUT', `/system/bundles/${bundle.digest}`, bundle.bytes);
    expectStatus(uploaded, `upload of ${name}`, 200, 201, 202, 204);
    const deployment = { service: name, image: bundle.image, ...more };
    const updated = await control('PUT', '/system/functions', deployment);
    if (updated.status === 404) expectStatus(await control('POST', '/system/functions', deployment), `deploy of ${name}`, 202);
    else expectStatus(updated, `update of ${name}`, 202);
    const query = more.namespace === undefined ? '' : `?namespace=${more.namespace}`;
    return eventually(
      async () => {
        const answer = await control('GET', `/system/function/${name}${query}`);
        const status: FunctionStatus = JSON.parse(answer.text);
        return (status.availableReplicas ?? 0) > 0 ? status : undefined;
      },
      { what: `${name} answers`, timeoutMs: 20_000 },
    );
  };

  return {
    url,
    port,
    metricsPort,
    home,
    dataDir,
    user,
    password,
    program: () => program,
    control,
    call: (name, wishes = {}) => call(url, { ...wishes, path: `/function/${name}${wishes.path ?? ''}` }),
    deploy,
    deployHandler: async (name, source, more) => deploy(name, await makeHandlerBundle(name, source), more),
    async kill(signal = 'SIGKILL') {
      program.kill(signal);
      await program.exited;
    },
    async restart() {
      program = await start();
    },
    launch() {
      program = launch();
    },
    sluice: (words, wishes = {}) =>
      runProgram(t, process.execPath, [sluice, ...words], { ...wishes, env: { ...env, ...wishes.env }, cwd: wishes.cwd ?? home }),
  };
};
