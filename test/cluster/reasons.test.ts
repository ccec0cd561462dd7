// Why a function does not answer, as a real kubelet tells it: in its status, and to its callers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, FunctionStatus } from '../../provider/types/function.ts';
import { eventually } from '../helpers/eventually.ts';
import type { RunningGateway } from '../helpers/gateway.ts';
import { findCluster } from './cluster.ts';
import { put, startClusterGateway } from './gateway.ts';
import { functionImage, handlerImage } from './images.ts';
import { emptyCluster } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

const crashing = `console.error('no database at db:5432');
process.exit(3);
`;

/** Resolves when the function has a condition of that reason with such a message. */
const told = (gateway: RunningGateway, name: string, reason: string, message: RegExp): Promise<unknown> =>
  eventually(
    async () => {
      const { status, text } = await gateway.control('GET', `/system/function/${name}?usage=1`);
      assert.equal(status, 200, text);
      const { conditions = [] } = JSON.parse(text) as FunctionStatus;
      const isTold = (each: Condition): boolean => each.reason === reason && message.test(each.message ?? '');
      return conditions.find(isTold) ?? assert.fail(JSON.stringify(conditions));
    },
    { what: `${name} is ${reason}, ${message}`, timeoutMs: 120_000, intervalMs: 500 },
  );

test('an image that is not there, a function that crashes and one whose probe fails are told apart, with the details', {
  skip,
}, async (t) => {
  const cluster = await emptyCluster(t, found);
  const gateway = await startClusterGateway(t, cluster);
  await put(gateway, { service: 'absent', image: `${cluster.registry}/absent:1` });
  await put(gateway, { service: 'crashing', image: await handlerImage(cluster, 'crashing', crashing) });
  // The kubelet waits for one second.
  const annotations = { 'com.openfaas.ready.http.path': '/?ms=3000' };
  await put(gateway, { service: 'slow', image: await functionImage(cluster, 'version'), annotations });

  await told(gateway, 'absent', 'ImagePullFailed', /absent:1.*not found/);
  const refused = await gateway.call('absent', { timeoutMs: 60_000 });
  assert.match(`${refused.status} ${refused.text}`, /^503 .*absent:1.*not found/s);

  await told(gateway, 'crashing', 'CrashLoop', /exited with code 3 \d+ times.*no database at db:5432/);
  // While it is being started once more, callers wait.
  const cut = await gateway.call('crashing', { timeoutMs: 60_000 });
  assert.match(`${cut.status} ${cut.text}`, /^503 .*no database at db:5432/s);

  await told(gateway, 'slow', 'ProbeFailed', /Readiness probe failed/);
});
