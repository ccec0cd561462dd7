// From nothing to an answer in every language that ships, and three updates under load from outside without a failed call.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { call } from '../helpers/call.ts';
import { makeFreshMachine, printed } from '../helpers/fresh-machine.ts';
import { startLoad, versionSpans } from '../helpers/load.ts';

type Language = {
  readonly name: string;
  /** The scaffolded handler. */
  readonly file: string;
  /** A handler that answers its version and, on the next line, the body it was sent. */
  readonly source: (version: string) => string;
  /** What the scaffolded handler answers to the body `Ada`. */
  readonly greeting: RegExp;
};

const languages: readonly Language[] = [
  {
    name: 'typescript',
    file: 'handler.ts',
    source: (version) =>
      `export default async (request: Request): Promise<Response> => new Response('${version}\\n' + (await request.text()));\n`,
    greeting: /^\{"message":"Hello, Ada!"\}$/,
  },
  {
    name: 'node',
    file: 'handler.js',
    source: (version) =>
      `module.exports = async (event, context) => context.status(200).succeed('${version}\\n' + (event.body ?? ''));\n`,
    greeting: /^Hello, Ada!\n$/,
  },
  {
    name: 'python3',
    file: 'handler.py',
    source: (version) =>
      `def handle(event, context):\n    return {"statusCode": 200, "body": "${version}\\n" + event.body.decode("utf-8")}\n`,
    greeting: /^\{"message": "Hello, Ada!"\}$/,
  },
  {
    name: 'bash',
    file: 'handler.sh',
    source: (version) => `printf '${version}\\n'\ncat\n`,
    greeting: /^Hello, Ada!\n$/,
  },
];

/** Functions find their programs here, whatever the PATH of the gateway is. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const isMissing = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore', env: { PATH } }).status !== 0;
const absent = languages.map((each) => each.name).filter((name) => (name === 'bash' || name === 'python3') && isMissing(name));
const skipOf = (name: string): string | false =>
  // CI has all languages: there a missing one is a failure.
  absent.includes(name) && !process.env.CI ? `${name} is not installed` : false;

const scaffoldedAndUp = async (t: TestContext, { name }: Language) => {
  const machine = await makeFreshMachine(t);
  const gateway = machine.gateway('--no-sample');
  const OPENFAAS_URL = await printed(gateway, 'gateway');
  const made = await machine.sluice(['new', 'greet', '--lang', name], { env: { OPENFAAS_URL } });
  assert.equal(made.code, 0, made.stderr);
  const up = async (): Promise<string> => {
    const { code, stdout, stderr } = await machine.sluice(['up']);
    assert.equal(code, 0, `${stderr}${gateway.stderr()}`);
    return /^URL: (\S+)$/m.exec(stdout)?.[1] ?? assert.fail(stdout);
  };
  return { machine, up, url: await up() };
};

for (const language of languages) {
  const { name, file, source, greeting } = language;

  test(`${name}: new, up, and the handler answers; three updates under load fail no call`, { skip: skipOf(name) }, async (t) => {
    const { machine, up, url } = await scaffoldedAndUp(t, language);
    const headers = { 'Content-Type': 'text/plain' };
    const hello = await call(url, { method: 'POST', path: new URL(url).pathname, headers, body: 'Ada' });
    assert.equal(hello.status, 200, hello.text);
    assert.match(hello.text, greeting);

    const deploy = async (version: string): Promise<void> => {
      await writeFile(join(machine.home, 'greet', file), source(version));
      await up();
      const answer = await call(url, { path: new URL(url).pathname });
      assert.equal(answer.text, `${version}\n`, 'up ends when the new version answers');
    };
    await deploy('v0');
    const { hostname: host, port, pathname: path } = new URL(url);
    const load = await startLoad(t, { target: { host, port: Number(port) }, path, headers, ratePerS: 100 });
    for (const version of ['v1', 'v2', 'v3']) {
      await deploy(version);
      // Calls go on for a while with nothing happening.
      await setTimeout(700);
    }
    const { failures, answers, sent } = await load.stop();

    assert.deepEqual(failures, []);
    assert.equal(answers.length, sent);
    const spans = versionSpans(answers);
    assert.deepEqual(
      spans.map((span) => span.version),
      ['v0', 'v1', 'v2', 'v3'],
    );
    for (const [index, span] of spans.entries()) {
      const next = spans[index + 1];
      if (next === undefined) continue;
      const late = span.lastSentMs - next.firstAnsweredMs;
      assert.ok(late <= 0, `${span.version} answered a call that began ${late} ms after the first answer of ${next.version}`);
    }
    t.diagnostic(`${sent} calls, ${spans.map((span) => `${span.version}: ${span.count}`).join(', ')}`);
  });
}
