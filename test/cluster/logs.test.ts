// The log of a function while its pods come and go, and what they use.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionStatus } from '../../provider/types/function.ts';
import { eventually } from '../helpers/eventually.ts';
import { sluice } from '../helpers/gateway.ts';
import { startProgram } from '../helpers/process.ts';
import { findCluster } from './cluster.ts';
import { answering, put, startClusterGateway } from './gateway.ts';
import { handlerImage } from './images.ts';
import { emptyCluster, functionNamespace, podsEnded, podsReady } from './objects.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : false;

const talking = `export const handler = async (request) => {
  console.log('heard', await request.text());
  return new Response('yes');
};
`;

test('who follows a log hears the pod that goes and the one that comes; the status says what is used', { skip }, async (t) => {
  const cluster = await emptyCluster(t, found);
  const gateway = await startClusterGateway(t, cluster);
  await put(gateway, { service: 'fn', image: await handlerImage(cluster, 'talking', talking) });
  await answering(gateway, 'fn');
  const say = async (body: string): Promise<void> => {
    const { status, text } = await gateway.call('fn', { method: 'POST', body });
    assert.equal(`${status} ${text}`, '200 yes');
  };
  await say('one');
  const { home, dataDir, url } = gateway;
  const env = { HOME: home, SLUICE_DATA_DIR: dataDir, OPENFAAS_URL: url, PATH: process.env.PATH ?? '' };
  const reader = startProgram(t, process.execPath, [sluice, 'logs', 'fn'], { env });
  await reader.until(/heard one/, 60_000);
  await say('two');
  await reader.until(/heard two/, 60_000);

  const before = await podsReady(cluster, 'fn', 1);
  const names = before.map(({ metadata }) => metadata.name);
  await cluster.kubectl(['delete', 'pod', '-n', functionNamespace, ...names, '--wait=false']);
  await podsEnded(cluster, 'fn', before);
  await podsReady(cluster, 'fn', 1);
  await answering(gateway, 'fn');
  await say('three');
  await reader.until(/heard three/, 60_000);
  assert.deepEqual(reader.stdout().match(/heard \w+/g), ['heard one', 'heard two', 'heard three']);

  // The nodes are asked, which have looked at a new pod after some seconds; who runs this gateway may ask them.
  const used = await eventually(
    async () => {
      const { text } = await gateway.control('GET', '/system/function/fn?usage=1');
      return (JSON.parse(text) as FunctionStatus).usage?.totalMemoryBytes;
    },
    { what: 'memory in use', timeoutMs: 90_000, intervalMs: 500 },
  );
  assert.ok(used > 10e6 && used < 1e9, `${used} bytes`);
});
