// What a function can see of the gateway and of other namespaces, when it tries.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FunctionStatus } from '../../provider/types/function.ts';
import { eventually } from '../helpers/eventually.ts';
import { type RunningGateway, startGateway } from '../helpers/gateway.ts';
import { makeTmpDir } from '../helpers/tmp.ts';
import { capabilities, createNamespace, createSecret, type Spy, sendSpy } from './isolation/agency.ts';
import { descendants, placesOf, thingsBelow } from './isolation/targets.ts';

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'only root can give functions users of their own';
/** Where functions look for it. */
const hasPython =
  spawnSync('/bin/sh', ['-c', 'PATH=/usr/local/bin:/usr/bin:/bin python3 --version'], { stdio: 'ignore' }).status === 0;

const withPython = (t: TestContext): boolean => {
  if (!hasPython) {
    assert.equal(process.env.CI, undefined, 'python3 is not installed');
    t.diagnostic('python3 is not installed: the spy in python is left out');
  }
  return hasPython;
};

/** Spies in `namespace` in every language; the one in node with a memory limit starts without a warm watchdog. */
const sendSpies = async (t: TestContext, gateway: RunningGateway, namespace: string, secrets: string[]): Promise<Spy[]> =>
  Promise.all([
    sendSpy(gateway, 'node', 'node', { namespace, secrets }),
    sendSpy(gateway, 'cold', 'node', {
      namespace,
      secrets,
      limits: { memory: '256Mi' },
      envVars: { NODE_OPTIONS: '--no-warnings' },
    }),
    sendSpy(gateway, 'bash', 'bash', { namespace, secrets }),
    ...(withPython(t) ? [sendSpy(gateway, 'python', 'python3', { namespace, secrets })] : []),
  ]);

/** Asks for all of it and tells what was not refused. */
const granted = async (spy: Spy, wishes: readonly (readonly [Parameters<Spy['ask']>[0], string])[]): Promise<string[]> => {
  const leaks: string[] = [];
  for (const [verb, argument] of wishes) {
    if (spy.language === 'bash' && (verb === 'connect' || verb === 'become')) continue;
    const { done } = await spy.ask(verb, argument);
    if (done) leaks.push(`${spy.name}: ${verb} ${argument}`);
  }
  return leaks;
};

test('as root, a function reaches nothing of the gateway and nothing of another namespace', { skip: needsRoot }, async (t) => {
  const canary = 'canary-in-the-environment-of-the-gateway';
  const gateway = await startGateway(t, { env: { GATEWAY_CANARY: canary } });
  await Promise.all([createNamespace(gateway, 'blue'), createNamespace(gateway, 'red')]);
  await createSecret(gateway, 'blue-key', 'blue-value', 'blue');
  await createSecret(gateway, 'red-key', 'red-value', 'red');
  const spies = await sendSpies(t, gateway, 'blue', ['blue-key']);
  const victims = await sendSpies(t, gateway, 'red', ['red-key']);
  const pid = gateway.program().pid;

  const home = (await victims[0]?.must('run', 'printf %s "$HOME"')) ?? '';
  const { runDir } = placesOf(home);
  const relatives = await descendants(pid);
  /** Those that answer call after call. */
  const lasting = victims.filter(({ language }) => language !== 'bash');
  const victimPids = await Promise.all(lasting.map(async (spy) => Number(await spy.must('run', 'echo $PPID'))));

  await t.test('its secrets are its own, and those of the other namespace are nowhere', async () => {
    for (const [spy, name] of [
      ...spies.map((each) => [each, 'blue'] as const),
      ...victims.map((each) => [each, 'red'] as const),
    ]) {
      assert.equal((await spy.must('list', '/var/openfaas/secrets')).trim(), `${name}-key`, spy.name);
      assert.equal(await spy.must('read', `/var/openfaas/secrets/${name}-key`), `${name}-value`, spy.name);
    }
  });

  await t.test('the data directory and what is in it are closed', async () => {
    const things = await thingsBelow(gateway.dataDir);
    assert.ok(things.some(({ path }) => path.endsWith('basic-auth-password')));
    assert.ok(things.some(({ path }) => path.endsWith('user-ids.json')));
    const wishes = things.flatMap(({ path, kind }) => [
      [kind === 'directory' ? 'list' : 'read', path] as const,
      ['append', kind === 'directory' ? join(path, 'new') : path] as const,
    ]);
    // The one in bash starts two processes for each question.
    const few = wishes.filter(([, path]) => !path.includes('/bundles/'));
    const leaks = await Promise.all(spies.map((spy) => granted(spy, spy.language === 'bash' ? few : wishes)));
    assert.deepEqual(leaks.flat(), []);
  });

  await t.test(
    'the directories and sockets of the gateway, of blank watchdogs and of the other namespace are closed',
    async () => {
      const own = await Promise.all(spies.map(async (spy) => placesOf(await spy.must('run', 'printf %s "$HOME"')).replica));
      const skipped = new Set([...own, join(runDir, 'bin'), join(runDir, 'bundles', 'blue')]);
      const things = await thingsBelow(runDir, (path) => skipped.has(path));
      const sockets = things.filter(({ kind }) => kind === 'socket');
      assert.ok(sockets.length > victims.length, `${sockets.length} sockets`);
      assert.ok(things.some(({ path }) => path.startsWith(join(runDir, 'bundles', 'red'))));
      const wishes = things.flatMap(({ path, kind }) => [
        [kind === 'socket' ? 'connect' : kind === 'directory' ? 'list' : 'read', path] as const,
        [kind === 'directory' ? 'append' : 'delete', kind === 'directory' ? join(path, 'new') : path] as const,
      ]);
      assert.deepEqual((await Promise.all(spies.map((spy) => granted(spy, wishes)))).flat(), []);
      assert.equal(await victims[0]?.must('read', '/var/openfaas/secrets/red-key'), 'red-value');
    },
  );

  await t.test('what the kernel tells of other processes holds no secrets, and they take no signals', async () => {
    const owners = new Map<number, string>();
    for (const each of relatives) {
      const status = await readFile(`/proc/${each.pid}/status`, 'latin1').catch(() => '');
      owners.set(each.pid, /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? '');
    }
    const blue = (await spies[0]?.must('run', 'id -u'))?.trim();
    const others = [pid, ...relatives.map((each) => each.pid).filter((each) => owners.get(each) !== blue)];
    for (const each of victimPids) assert.ok(others.includes(each), `process ${each}`);
    assert.ok(others.length > victims.length, `${others.length} processes`);
    const wishes = others.flatMap((each) => [
      ['signal', String(each)] as const,
      ...['environ', 'mem', 'maps', 'auxv', 'stack'].map((file) => ['read', `/proc/${each}/${file}`] as const),
      ...['fd', 'map_files', 'cwd/', 'root/'].map((dir) => ['list', `/proc/${each}/${dir}`] as const),
      ['read', `/proc/${each}/root/var/openfaas/secrets/red-key`] as const,
    ]);
    assert.deepEqual((await Promise.all(spies.map((spy) => granted(spy, wishes)))).flat(), []);
    for (const each of others) {
      const { text } = await (spies[0] as Spy).ask('read', `/proc/${each}/cmdline`);
      for (const secret of [gateway.password, canary, 'red-value', 'blue-value']) assert.ok(!text.includes(secret), text);
    }
  });

  await t.test('it is another user without groups, capabilities or a way to gain any', async () => {
    const tools = await makeTmpDir(t);
    await chmod(tools, 0o755);
    const setuidId = join(tools, 'id');
    await copyFile('/usr/bin/id', setuidId);
    await chmod(setuidId, 0o4755);
    const ids = new Map<string, Set<string>>();
    for (const spy of [...spies, ...victims]) {
      const status = await spy.must('run', 'cat /proc/self/status');
      const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? 'absent';
      const [uid = '', ...same] = field('Uid').split('\t');
      assert.ok(Number(uid) >= 30_000, `${spy.name}: ${uid}`);
      assert.deepEqual([same, field('Gid').split('\t'), field('Groups')], [[uid, uid, uid], [uid, uid, uid, uid], ''], spy.name);
      assert.equal(field('NoNewPrivs'), '1', spy.name);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) assert.match(field(set), /^0+$/, `${spy.name}: ${set}`);
      assert.equal((await spy.must('run', `${setuidId} -u`)).trim(), uid, spy.name);
      const namespace = spy.name.split('.')[1] ?? '';
      ids.set(namespace, (ids.get(namespace) ?? new Set()).add(uid));
    }
    const [blue, red] = [ids.get('blue'), ids.get('red')];
    assert.deepEqual([blue?.size, red?.size], [1, 1]);
    assert.notDeepEqual(blue, red);
    const wishes = [
      ['become', '0'],
      ['run', 'su -c true root < /dev/null'],
      ['run', 'mount --bind /tmp /var/openfaas/secrets'],
      ['run', 'umount /var/openfaas/secrets'],
      ['run', `nsenter --target ${pid} --mount true`],
      ['run', `nsenter --target ${victimPids[0]} --mount true`],
      ['run', `chown 0 "$HOME"`],
      ['run', 'echo $$ > /sys/fs/cgroup/memory/cgroup.procs || echo $$ > /sys/fs/cgroup/cgroup.procs'],
    ] as const;
    assert.deepEqual((await Promise.all(spies.map((spy) => granted(spy, wishes)))).flat(), []);
  });

  await t.test('its own code, its secrets and its socket are not its own to change', async () => {
    for (const spy of spies) {
      const replica = placesOf(await spy.must('run', 'printf %s "$HOME"')).replica;
      const root = (await spy.must('run', 'pwd')).trim();
      const code = (await thingsBelow(root)).flatMap(({ path, kind }) => [
        ['append', kind === 'directory' ? join(path, 'new') : path] as const,
        ...(kind === 'directory' ? [] : [['delete', path] as const]),
      ]);
      const wishes = [
        ...code,
        ['append', '/var/openfaas/secrets/new'],
        ['append', '/var/openfaas/secrets/blue-key'],
        ['delete', '/var/openfaas/secrets/blue-key'],
        ['append', join(replica, 'new')],
        ['delete', join(replica, 's')],
        ['run', `mv ${replica}/secrets ${replica}/t/x`],
        ['run', `mv ${replica}/t ${replica}/y`],
        ['run', `mv ${replica}/secrets ${replica}/y`],
      ] as const;
      assert.deepEqual(await granted(spy, wishes), []);
    }
  });

  await t.test('its environment holds what it was given and nothing of the gateway', async () => {
    const allowed =
      /^(PATH|HOME|TMPDIR|LANG|OPENFAAS_NAME|OPENFAAS_NAMESPACE|SLUICE_REPLICA|SLUICE_UPSTREAM_SOCKET|fprocess|handler_style|NODE_OPTIONS|exec_timeout|Http_\w+|PWD|SHLVL|_|OLDPWD)$/;
    for (const spy of spies) {
      const text = await spy.must('run', 'tr "\\0" "\\n" < /proc/self/environ');
      const names = text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('=', 1)[0] ?? '');
      assert.ok(names.includes('OPENFAAS_NAME'), spy.name);
      assert.deepEqual(
        names.filter((name) => !allowed.test(name)),
        [],
        spy.name,
      );
      // Of the watchdog above it as well, where the kernel shows that.
      const above = await spy.ask('run', 'cat /proc/$PPID/environ');
      for (const secret of [canary, gateway.password]) assert.ok(!`${text}${above.text}`.includes(secret), spy.name);
    }
  });

  await t.test('the control API does not take it for somebody else', async () => {
    const script = `fetch('${gateway.url}/system/secrets?namespace=red').then((answer) => process.exit(answer.status - 300))`;
    assert.equal((await (spies[0] as Spy).must('run', `node -e "${script}" || echo $?`)).trim(), '101');
  });

  assert.match((await capabilities(gateway)).isolation, /user of their own.*without a way to gain privileges.*private mount/);
});

test('as another user, the start says that functions are trusted, and secret_mount_path works', async (t) => {
  // A user namespace makes root another user, without a right to any user id but its own.
  const under = isRoot ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--'] : [];
  if (isRoot && spawnSync(under[0] ?? '', [...under.slice(1), 'true']).status !== 0) {
    return t.skip('this machine makes no user namespaces; run it as another user than root');
  }
  const gateway = await startGateway(t, { under });
  const trusted = /functions run under the account of this gateway and are trusted with it/;
  await gateway.program().until(/^isolation +none: .*trusted with it/m);
  await createSecret(gateway, 'key', 'value');
  const spies = await Promise.all([
    sendSpy(gateway, 'node', 'node', { secrets: ['key'] }),
    sendSpy(gateway, 'bash', 'bash', { secrets: ['key'] }),
    ...(withPython(t) ? [sendSpy(gateway, 'python', 'python3', { secrets: ['key'] })] : []),
  ]);
  for (const spy of spies) assert.equal(await spy.must('run', 'cat "$secret_mount_path/key"'), 'value', spy.name);
  assert.match((await capabilities(gateway)).isolation, trusted);
  assert.match((await gateway.sluice(['version'])).stdout, trusted);
});

test('a new value of a secret reaches replicas that run', async (t) => {
  const gateway = await startGateway(t);
  await createSecret(gateway, 'key', 'old');
  const spies = await Promise.all([
    sendSpy(gateway, 'node', 'node', { secrets: ['key'] }),
    sendSpy(gateway, 'bash', 'bash', { secrets: ['key'] }),
    ...(withPython(t) ? [sendSpy(gateway, 'python', 'python3', { secrets: ['key'] })] : []),
  ]);
  const read = isRoot ? 'cat /var/openfaas/secrets/key' : 'cat "$secret_mount_path/key"';
  const homes = await Promise.all(spies.map((spy) => spy.must('run', 'echo "$HOME"')));
  for (const spy of spies) assert.equal(await spy.must('run', read), 'old', spy.name);
  const answer = await gateway.control('PUT', '/system/secrets', { name: 'key', value: 'new' });
  assert.ok(answer.status === 200 || answer.status === 202, answer.text);
  for (const spy of spies) assert.equal(await spy.must('run', read), 'new', spy.name);
  assert.deepEqual(await Promise.all(spies.map((spy) => spy.must('run', 'echo "$HOME"'))), homes, 'the same replicas');
});

const eater = `
const kept = [];
export const handler = () => {
  setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 5);
  return new Response('eating');
};
`;

const burner = `
export const handler = async () => {
  const before = process.cpuUsage();
  const end = Date.now() + 1000;
  while (Date.now() < end);
  const { user, system } = process.cpuUsage(before);
  return new Response(String((user + system) / 1e6));
};
`;

test('limits hold by the means that info and describe name, and a function ended for its memory says so', async (t) => {
  const gateway = await startGateway(t);
  const { limits } = await capabilities(gateway);
  t.diagnostic(limits);
  assert.match(limits, /^memory(: | and cpu: )/);
  await gateway.deployHandler('eater', eater, { limits: { memory: '96Mi' } });
  await gateway.call('eater');
  const reason = await eventually(
    async () => {
      const { conditions } = JSON.parse((await gateway.control('GET', '/system/function/eater')).text) as FunctionStatus;
      return conditions?.find(({ reason: why }) => why === 'OOMKilled')?.message;
    },
    { what: 'the status says OOMKilled' },
  );
  assert.match(reason, /96Mi/);
  const described = await gateway.sluice(['describe', 'eater']);
  // It may have been started again in the meantime.
  assert.match(described.stdout, /OOMKilled|needed more memory than its limit of 96Mi/);
  assert.ok(described.stdout.includes(limits), described.stdout);

  if (!limits.startsWith('memory and cpu')) return t.diagnostic('cpu limits are not enforced here, and info says so');
  await gateway.deployHandler('burner', burner, { limits: { cpu: '250m' } });
  const used = Number((await gateway.call('burner')).text);
  assert.ok(used < 0.5, `${used} s of CPU in a second under a limit of 250m`);
});
