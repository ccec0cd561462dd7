// From a template to an answer: `sluice up` makes an image, pushes it, and pods run it; then the commands of every day.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RunningGateway } from '../helpers/gateway.ts';
import { type Cluster, findCluster } from './cluster.ts';
import { answering, startClusterGateway } from './gateway.ts';
import { emptyCluster, functionNamespace, getJson, podsEnded, podsOf, podsReady } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

const handler = `import { readFile } from 'node:fs/promises';

export default async (request: Request): Promise<Response> => {
  const key = await readFile('/var/openfaas/secrets/key', 'utf8').catch(() => 'no key');
  console.log('asked for', new URL(request.url).pathname);
  return new Response(\`\${process.env.greeting} \${await request.text()}, \${key}\`);
};
`;

const setTheScene = async (t: TestContext): Promise<{ cluster: Cluster; gateway: RunningGateway }> => {
  const cluster = await emptyCluster(t, found);
  return { cluster, gateway: await startClusterGateway(t, cluster) };
};

test('sluice up brings a function to the cluster; list, describe, logs, scale, secret and remove work on it', {
  skip,
}, async (t) => {
  const { cluster, gateway } = await setTheScene(t);
  await gateway.program().until(/^data /m);
  const env = { OPENFAAS_PREFIX: `${cluster.registry}/up`, SLUICE_BASE_IMAGE: 'scratch' };
  const run = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await gateway.sluice(args, { env });
    assert.equal(code, 0, `sluice ${args.join(' ')}: ${stderr}${stdout}`);
    return `${stdout}${stderr}`;
  };
  await run('new', 'greet', '--lang', 'typescript');
  await writeFile(join(gateway.home, 'greet', 'handler.ts'), handler);
  await run('secret', 'create', 'key', '--from-literal', 'first');
  const stack = join(gateway.home, 'stack.yaml');
  const extras = '    environment:\n      greeting: Hello\n      healthcheck_interval: 3s\n    secrets: [key]\n';
  await writeFile(stack, `${(await readFile(stack, 'utf8')).trimEnd()}\n${extras}`);

  const up = await run('up');
  assert.match(up, /^URL: \S+\/function\/greet$/m);
  const first = await podsReady(cluster, 'greet', 1);
  assert.match(first[0]?.spec.containers[0]?.image ?? '', new RegExp(`^${cluster.registry}/up/greet:[^@]+@sha256:[0-9a-f]{64}$`));
  const answer = await gateway.call('greet', { method: 'POST', path: '/here', body: 'Ada' });
  assert.equal(`${answer.status} ${answer.text}`, '200 Hello Ada, first');

  assert.match(await run('list'), /^greet +/m);
  assert.match(await run('describe', 'greet'), /^Available Replicas: *1$/m);
  assert.match(await run('logs', 'greet', '--tail=false'), /asked for \/here/);
  await run('scale', 'greet', '3');
  await answering(gateway, 'greet', 3);
  assert.equal((await podsReady(cluster, 'greet', 3)).length, 3);
  await run('scale', 'greet', '1');
  await answering(gateway, 'greet', 1);

  await run('secret', 'update', 'key', '--from-literal', 'second');
  assert.match(await run('secret', 'list'), /^key/m);
  const before = await podsOf(cluster, 'greet');
  await writeFile(join(gateway.home, 'greet', 'handler.ts'), handler.replace('console.log', '// v2\n  console.log'));
  await run('up');
  await podsEnded(cluster, 'greet', before);
  assert.equal((await gateway.call('greet', { method: 'POST', body: 'Ada' })).text, 'Hello Ada, second');

  await run('remove', 'greet');
  await run('secret', 'remove', 'key');
  assert.doesNotMatch(gateway.program().stderr(), /^warning/m);
  const left = await getJson<{ items: { metadata: { name: string } }[] }>(
    cluster,
    'deployments,services',
    '-n',
    functionNamespace,
  );
  assert.deepEqual(left.items, []);
  assert.equal((await gateway.call('greet')).status, 404);
});
