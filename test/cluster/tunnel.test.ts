// A gateway that has no route to pods calls them through the API server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCluster } from './cluster.ts';
import { answering, put, startClusterGateway } from './gateway.ts';
import { functionImage } from './images.ts';
import { emptyCluster } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

test('through tunnels calls are answered, many at once and large ones, and the gateway warns', { skip }, async (t) => {
  const cluster = await emptyCluster(t, found);
  const gateway = await startClusterGateway(t, cluster, { args: ['--reach', 'tunnel'] });
  assert.match(gateway.program().stdout() + gateway.program().stderr(), /calls go through the API server/);
  await put(gateway, { service: 'fn', image: await functionImage(cluster, 'version') });
  await answering(gateway, 'fn');
  const bodies = [...Array.from({ length: 20 }, (_, index) => `call ${index}`), 'x'.repeat(1_000_000)];
  const answers = await Promise.all(bodies.map((body) => gateway.call('fn', { method: 'POST', path: '/?ms=100', body })));
  for (const [index, { status, text }] of answers.entries()) {
    assert.equal(status, 200, text.slice(0, 500));
    assert.ok(text === `v1\n${bodies[index]}`, `the answer to call ${index}`);
  }
});
