// One line for a call, as of-watchdog has it.
import type { ServerResponse } from 'node:http';
import type { Call } from './call.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Decimal size with four significant digits: 1234567 is `1.235MB`; `-1B` when unknown. */
export const humanSize = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
};

/** Of a head that was written from a flat list node:http keeps only the text. */
const lengthSent = (response: ServerResponse): number => {
  const set = response.getHeader('content-length');
  if (set !== undefined) return Number(set);
  const head = (response as unknown as { readonly _header?: string | null })._header ?? '';
  return Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? -1);
};

/** `GET /a?b - 200 OK - ContentLength: 5B (0.0012s)`, with ` [call id]` behind it where wanted; nothing for a kubelet's probe. */
export const accessLine = (call: Call, seconds: number, withCallId: boolean): string | undefined => {
  const { request, response } = call;
  if (request.headers['user-agent']?.startsWith('kube-probe')) return undefined;
  const status = `${response.statusCode} ${response.statusMessage ?? ''}`.trimEnd();
  const id = withCallId ? ` [${call.callId ?? 'none'}]` : '';
  const size = humanSize(lengthSent(response));
  return `${request.method} ${request.url} - ${status} - ContentLength: ${size} (${seconds.toFixed(4)}s)${id}`;
};
