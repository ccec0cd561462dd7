// docker-compose.yml as it is: from nothing to a function that an alert has scaled, down, and up again.
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../cli/run-cli.ts';
import type { Cleanup } from '../helpers/cleanup.ts';
import { eventually } from '../helpers/eventually.ts';
import { sluice } from '../helpers/gateway.ts';
import { startLoad } from '../helpers/load.ts';
import { runProgram } from '../helpers/process.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { missing } from './component.ts';
import { composePrograms, createStack, type Stack, services } from './compose.ts';

const skip = missing(composePrograms, true);

const up = async (stack: Stack): Promise<void> => {
  await stack.compose('up', '-d', ...services);
  for (const service of services) {
    await eventually(() => stack.isHealthy(service), {
      what: `${service} is healthy`,
      timeoutMs: 60_000,
      intervalMs: 200,
    }).catch(async (error: unknown) => {
      throw new Error(`${(error as Error).message}\n${await stack.logsOf(service)}`);
    });
  }
};

/** What a user has: a home, and the command. */
const createUser = async (t: Cleanup, stack: Stack) => {
  const home = await makeTmpDir(t);
  const env = { PATH: process.env.PATH ?? '', HOME: home, OPENFAAS_URL: stack.url };
  const run = async (args: readonly string[], input?: string): Promise<string> => {
    const wishes = { env, cwd: home, ...(input === undefined ? {} : { input }) };
    const { code, stdout, stderr } = await runProgram(t, process.execPath, [sluice, ...args], wishes);
    assert.equal(code, 0, `sluice ${args.join(' ')}\n${stderr}`);
    return stdout;
  };
  return { home, run };
};

/** Answers as the load generator expects; at /secret, what a function learns of the gateway's password. */
const handler = `import { readFile } from 'node:fs/promises';
const tryRead = (path: string) => readFile(path, 'utf8').catch((error: { code: string }) => error.code);
export default async (request: Request): Promise<Response> =>
  new URL(request.url).pathname === '/secret'
    ? new Response(await tryRead('/run/credentials/basic-auth-password'))
    : new Response('v1\\n' + (await request.text()));
`;

/** As watchdog/Dockerfile says. */
const functionFile = `FROM localhost/debian
COPY --from=localhost/sluice-watchdog / /
ENV fprocess=cat healthcheck_interval=5s
USER 1000:1000
CMD ["fwatchdog"]
`;

type Status = { readonly replicas?: number; readonly availableReplicas?: number };

test('the stack comes up from nothing, an alert scales a function, and after down and up it is there; the watchdog makes an image of its own', {
  skip,
}, async (t) => {
  const stack = await createStack(t);
  const made = await runProgram(t, 'sh', ['deploy/compose/make-secrets.sh'], {
    cwd: stack.dir,
    env: { PATH: process.env.PATH ?? '' },
  });
  assert.equal(made.code, 0, made.stderr);
  await up(stack);

  const user = await createUser(t, stack);
  const password = await readFile(join(stack.dir, 'deploy', 'compose', 'secrets', 'basic-auth-password'), 'utf8');
  await user.run(['login', '--username', 'admin', '--password-stdin'], password);
  assert.match(await user.run(['version']), /isolation: +each namespace's functions run as a user of their own/);
  await cp(join(packageRoot, 'templates', 'typescript', 'function'), join(user.home, 'greet'), { recursive: true });
  await writeFile(join(user.home, 'greet', 'handler.ts'), handler);
  await writeFile(
    join(user.home, 'stack.yaml'),
    'provider: {name: openfaas}\nfunctions:\n  greet: {lang: typescript, handler: ./greet}\n',
  );
  await user.run(['up']);
  assert.equal(await user.run(['invoke', 'greet'], 'Ada'), 'v1\nAda');
  assert.equal(await (await fetch(`${stack.url}/function/greet/secret`)).text(), 'EACCES', 'a function cannot read the password');

  const scrapes = async (): Promise<boolean> => {
    const answer = await fetch(`${stack.prometheusUrl}/api/v1/targets?state=active`);
    const { data } = (await answer.json()) as { data: { activeTargets: { health: string }[] } };
    return data.activeTargets.length === 3 && data.activeTargets.every((each) => each.health === 'up');
  };
  await eventually(scrapes, { what: 'Prometheus scrapes all three services', timeoutMs: 60_000, intervalMs: 500 });

  const status = async (): Promise<Status> => JSON.parse(await user.run(['describe', 'greet', '--output', 'json'])) as Status;
  assert.equal((await status()).replicas, 1);
  const load = await startLoad(t, {
    target: { host: '127.0.0.1', port: Number(new URL(stack.url).port) },
    path: '/function/greet',
    ratePerS: 20,
  });
  // At its own pace: scraped every 5 s, a rate over 10 s, held for 5 s, grouped for 5 s.
  await eventually(async () => (await status()).availableReplicas === 3, {
    what: 'an alert has given greet two more replicas',
    timeoutMs: 90_000,
    intervalMs: 500,
  }).catch(async (error: unknown) => {
    throw new Error(`${(error as Error).message}\n${await stack.logsOf('alertmanager')}`);
  });
  assert.deepEqual((await load.stop()).failures, []);

  // What podman has built here is good for the watchdog's image, too.
  await stack.build('localhost/sluice-watchdog', join(stack.dir, 'watchdog'));
  const context = await makeTmpDir(t);
  await writeFile(join(context, 'Dockerfile'), functionFile);
  await stack.build('localhost/cat', context);
  const url = await stack.serve('localhost/cat');
  const echoed = await fetch(url, { method: 'POST', body: 'through the watchdog' });
  assert.deepEqual([echoed.status, await echoed.text()], [200, 'through the watchdog']);

  await stack.compose('down');
  await assert.rejects(fetch(`${stack.url}/healthz`), 'nothing listens any more');
  await up(stack);
  assert.equal(await user.run(['invoke', 'greet'], 'Ada'), 'v1\nAda', 'the function, and the login, are still good');
});
