// What node:http cannot read as a request, or not in time: refused in words, and not in the place of another answer.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { FaasError } from '../../provider/types/errors.ts';
import { toRawResponse } from './error-response.ts';
import { afterAnswers, responseOn, type Turns } from './turns.ts';
import { endRaw } from './unread-body.ts';

/** Limit of a request's head: all header names and values, and the request line. */
export const maxHeaderBytes = 1024 * 1024;

const answerToBrokenRequest = (error: NodeJS.ErrnoException): string => {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return toRawResponse(new FaasError('request-timeout', 'the head of the request did not come in time'));
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return toRawResponse(new FaasError('headers-too-large', `request headers: expected at most ${maxHeaderBytes} bytes`));
  }
  return toRawResponse(new FaasError('invalid', `not an HTTP/1.1 request: ${error.message}`));
};

type Parser = { readonly incoming?: IncomingMessage | null };

/** Whether the request that is being read has its answer already; only to be asked when no answer is under way. */
const isAnswered = (socket: Duplex): boolean =>
  (socket as { readonly parser?: Parser | null }).parser?.incoming?.complete === false;

const refuseInTurn = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  const response = responseOn(socket);
  const left = error.code === 'HPE_INVALID_EOF_STATE';
  if (response?.req.complete && !left) {
    response.once('close', () => refuseInTurn(error, socket));
  } else if (response === undefined && isAnswered(socket)) {
    endRaw(socket, '');
  } else if (socket.writable) {
    if (response === undefined || !response.headersSent) {
      const answer = answerToBrokenRequest(error);
      endRaw(socket, response?.req.method === 'HEAD' ? answer.slice(0, answer.indexOf('\r\n\r\n') + 4) : answer);
    }
    // The caller of a request whose body breaks off is gone for its function at once.
    response?.destroy();
  }
};

/** Refuses what is no request, after the answers to the requests before it. */
export const refuseBroken = (turns: Turns, error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET') socket.destroy();
  else if (socket.writable && turns.break(socket)) {
    // After `Connection: close` nothing is a request, and nothing gets an answer; the last answer may still be on its way.
    if (error.code === 'HPE_CLOSED_CONNECTION') afterAnswers(socket, () => endRaw(socket, ''));
    else refuseInTurn(error, socket);
  }
};
