import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli } from './run-cli.ts';

test('without arguments, help is printed and the exit code is 0', async (t) => {
  const { code, stdout } = await runCli(t, []);
  assert.equal(code, 0);
  for (const name of ['new', 'up', 'build', 'push', 'deploy', 'list', 'invoke', 'logs', 'gateway', 'secret', 'namespace']) {
    assert.match(stdout, new RegExp(`^ {2}${name}\\b`, 'm'));
  }
});

test('every command has help of its own', async (t) => {
  const names = [
    'new',
    'up',
    'build',
    'push',
    'deploy',
    'list',
    'describe',
    'invoke',
    'logs',
    'scale',
    'remove',
    'login',
    'logout',
  ];
  for (const name of [...names, 'ready', 'secret', 'namespace', 'namespaces', 'version']) {
    const { code, stdout } = await runCli(t, [name, '--help']);
    assert.equal(code, 0, name);
    assert.match(stdout, new RegExp(`^Usage: sluice ${name}`), name);
    assert.equal((await runCli(t, ['help', name])).stdout, stdout);
  }
});

test('errors go to standard error with exit code 1', async (t) => {
  const { code, stdout, stderr } = await runCli(t, ['list', '--gateway', 'http://']);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^error: gateway: expected an address/);
});

test('cli fact 4: an unknown command, sub-command or flag exits 1 with a suggestion', async (t) => {
  const cases: [string[], RegExp][] = [
    [['lst'], /unknown command 'lst'\n\(Did you mean one of list, ls\?\)/],
    [['secret', 'creat'], /unknown command 'creat'\n\(Did you mean create\?\)/],
    [['frobnicate'], /unknown command 'frobnicate'\n`sluice --help` lists the commands\n$/],
    [['namespace', 'bogus'], /unknown command 'bogus'/],
    [['list', '--quite'], /unknown option '--quite'\n\(Did you mean --quiet\?\)/],
  ];
  for (const [argv, expected] of cases) {
    const { code, stderr } = await runCli(t, argv);
    assert.equal(code, 1, argv.join(' '));
    assert.match(stderr, expected);
  }
});

test('colours are written only to a terminal and never with NO_COLOR', async (t) => {
  const argv = ['list', '-g', 'http://'];
  assert.ok((await runCli(t, argv, { tty: true })).stderr.includes('\x1b['));
  assert.ok(!(await runCli(t, argv)).stderr.includes('\x1b['));
  assert.ok(!(await runCli(t, argv, { tty: true, env: { NO_COLOR: '1' } })).stderr.includes('\x1b['));
});
