// Scaling by alerts on a real cluster, with the shipped rules in a real Prometheus and the shipped routes in a real Alertmanager.
import { test } from 'node:test';
import { loggingSteps, untilSteps } from '../real/alert-steps.ts';
import { missing } from '../real/component.ts';
import { monitoringPrograms, startMonitoring } from '../real/monitoring.ts';
import { findCluster } from './cluster.ts';
import { answering, openNamespace, put, startClusterGateway, underLoad } from './gateway.ts';
import { functionImage } from './images.ts';

const found = await findCluster();
const skip = 'missing' in found ? found.missing : missing(monitoringPrograms);

const namespace = 'alerts';

test('fact 139: load raises the pods step by step to the maximum, its end brings them back, and no call fails', {
  skip,
}, async (t) => {
  if ('missing' in found) throw new Error(found.missing);
  const { cluster } = found;
  await openNamespace(t, cluster, namespace);
  const gateway = await startClusterGateway(t, cluster, { args: [...loggingSteps, '--function-namespace', namespace] });
  const labels = { 'com.openfaas.scale.min': '1', 'com.openfaas.scale.max': '4', 'com.openfaas.scale.factor': '25' };
  await put(gateway, { service: 'busy', image: await functionImage(cluster, 'version'), labels });
  await answering(gateway, 'busy');
  await startMonitoring(t, gateway);

  const up = ['1→2', '2→3', '3→4'];
  await underLoad(t, { gateway, name: 'busy', ratePerS: 30 }, async () => {
    await untilSteps(gateway, `busy.${namespace}`, up, 120_000);
    await answering(gateway, 'busy', 4, 120_000);
  });
  await untilSteps(gateway, `busy.${namespace}`, [...up, '4→1'], 120_000);
  await answering(gateway, 'busy', 1, 120_000);
});
