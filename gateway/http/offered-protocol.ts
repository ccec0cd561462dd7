// Requests that offer to switch to another protocol (`Upgrade`), an offer that may be ignored (RFC 9110, 7.8).
import type { IncomingMessage } from 'node:http';
import { hasBody } from './framing.ts';

type Parser = { getCurrentBuffer?(): Buffer | undefined };

const oneProtocol = /^[\w!#$%&'*+.^`|~-]+(?:\/[\w!#$%&'*+.^`|~-]+)?$/;

/** Requests inside of these would reach a function past everything that holds for calls; clients offer them unasked, too. */
const hidesRequests = /^(?:h2c?|h3|s?https?|tls)(?:\/|$)/i;

/** An offer of WebSocket (RFC 6455, 4.1) or of one other protocol that a function may take, which has no body. */
export const isFunctionUpgrade = ({ method, headers, httpVersionMinor }: IncomingMessage): boolean =>
  method === 'GET' &&
  httpVersionMinor === 1 &&
  headers.upgrade !== undefined &&
  oneProtocol.test(headers.upgrade) &&
  !hidesRequests.test(headers.upgrade) &&
  headers['transfer-encoding'] === undefined &&
  (headers['content-length'] ?? '0') === '0';

/** With one of these a packet may begin that has only a part of the empty line behind the head. */
const isLineEnd = (code: number | undefined): boolean => code === 13 || code === 10;

/**
 * Whether the connection has to end with the answer to a request whose offer is ignored: node:http drops what stands behind
 * such a request in the same packet, and would take what comes next for the beginning of a request. In which packet a body
 * ends is not known yet, so with a body it always has to.
 * Only to be called while the request's head is being read.
 */
export const losesWhatFollows = (req: IncomingMessage): boolean => {
  if (hasBody(req)) return true;
  const { parser } = req.socket as { parser?: Parser | null };
  const packet = parser?.getCurrentBuffer?.();
  if (packet === undefined || isLineEnd(packet[0])) return true;
  return packet.indexOf('\r\n\r\n') !== packet.length - 4;
};
