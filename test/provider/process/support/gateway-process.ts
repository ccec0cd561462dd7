// A gateway's provider in a process of its own, to be killed: deploys one function and prints what it has.
import { createProcessProvider } from '../../../../provider/process/index.ts';
import { defaultNamespace } from '../../../../provider/types/name.ts';
import { evaluator, putSource } from './functions.ts';
import { quiet } from './make-provider.ts';

const [dataDir = '', runDir = '', watchdogPath = ''] = process.argv.slice(2);

const provider = await createProcessProvider({
  dataDir,
  runDir,
  watchdogPath,
  nodePath: process.execPath,
  defaultNamespace,
  log: quiet,
  holder: `pid ${process.pid} of a test`,
});
const nothing = (): void => {};
provider.watch({
  functionChanged: nothing,
  functionRemoved: nothing,
  endpointReady: (_, { address }) => void process.stdout.write(`${JSON.stringify(address)}\n`),
  endpointGone: async () => {},
  synced: nothing,
});
const image = await putSource(provider.bundles, evaluator);
await provider.deploy({ service: 'fn', namespace: defaultNamespace, image });
