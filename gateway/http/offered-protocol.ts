// Requests that offer to switch to another protocol (`Upgrade`), an offer that may be ignored (RFC 9110, 7.8).
import type { IncomingMessage } from 'node:http';

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

/**
 * Whether the connection has to end with the answer to a request whose offer is ignored: node:http drops what stands behind
 * such a request in the same packet, and would take what comes next for the beginning of a request.
 * Only to be called while the request's head is being read.
 */
export const losesWhatFollows = (req: IncomingMessage): boolean => {
  const { parser } = req.socket as { parser?: Parser | null };
  const packet = parser?.getCurrentBuffer?.();
  return packet === undefined || packet.indexOf('\r\n\r\n') !== packet.length - 4;
};
