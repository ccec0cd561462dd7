// GET /system/info: what is behind the gateway.
import type { GatewayInfo } from '../../provider/types/info.ts';
import { type Client, expectStatus, parseBody } from './client.ts';

/** @throws when the gateway does not answer with its versions */
export const getInfo = async (client: Client, timeoutMs?: number): Promise<GatewayInfo> => {
  const what = 'asking for the version';
  const reply = await client.call('GET', '/system/info', timeoutMs === undefined ? {} : { timeoutMs });
  expectStatus(client, reply, [200], what);
  return parseBody(client, reply, what) as GatewayInfo;
};

/** `undefined` for a gateway that has no such page; then it is one of OpenFaaS's and runs images. */
export const findInfo = async (client: Client): Promise<GatewayInfo | undefined> => {
  const reply = await client.call('GET', '/system/info');
  const what = 'asking what the gateway runs';
  if ([404, 405, 501].includes(reply.status)) return undefined;
  expectStatus(client, reply, [200], what);
  const info = parseBody(client, reply, what) as Partial<GatewayInfo> | null;
  return info?.provider ? (info as GatewayInfo) : undefined;
};
