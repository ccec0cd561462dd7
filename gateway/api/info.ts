// GET /system/info: gateway, provider, machine. OpenFaaS contract, 1.10.
import type { Provider } from '../../provider/provider.ts';
import type { GatewayInfo, VersionInfo } from '../../provider/types/info.ts';
import { sendJson } from '../http/json-response.ts';
import type { Route } from '../http/route.ts';

/** Go's name of a Node architecture, as clients know it from OpenFaaS. */
export const goArch = (arch: string): string => ({ x64: 'amd64', ia32: '386', arm64: 'arm64', arm: 'arm' })[arch] ?? arch;

export const showInfo =
  (provider: Provider, version: VersionInfo): Route['run'] =>
  async ({ res }) => {
    const info: GatewayInfo = { provider: await provider.info(), version, arch: goArch(process.arch) };
    sendJson(res, 200, info);
  };
