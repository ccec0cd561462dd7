// Calls that come over HTTP: makes an Invocation of a request to /function/… and a Sink of its response.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { FaasError } from '../../provider/types/errors.ts';
import { callIdHeader } from '../../provider/types/headers.ts';
import { formatNanos, newCallId, preciseNowMs } from '../http/call-id.ts';
import { sendError, toRawResponse } from '../http/error-response.ts';
import { hasBody } from '../http/framing.ts';
import { GatheringRequest } from '../http/gathering-request.ts';
import { createHttpDate } from '../http/http-date.ts';
import { createTurnEnds } from '../http/turn-ends.ts';
import { drainBriefly, endRaw } from '../http/unread-body.ts';
import { METHODS } from '../node-http.ts';
import { type AnswerContext, platformHeaders, requestHeaders } from './forwarded.ts';
import type { Invocation } from './invocation.ts';
import type { Invoker } from './invoke.ts';
import { ResponseSink } from './response-sink.ts';
import { smallBodyLength, whenSmallBody } from './small-body.ts';
import { parseTarget, type Target } from './target.ts';

export type FunctionHandlerParts = {
  readonly invoker: Invoker;
  readonly defaultNamespace: string;
  readonly version: string;
};

export interface FunctionHandler {
  handle(req: IncomingMessage, res: ServerResponse): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const callIdKey = callIdHeader.toLowerCase();

/** `ip:port`, IPv6 addresses in brackets. */
const remoteOf = (req: IncomingMessage): string => {
  const { remoteAddress = '', remotePort = 0 } = req.socket;
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
};

/** `Allow` of a refused method. */
const allowed = METHODS.filter((method) => method !== 'TRACE' && method !== 'CONNECT').join(', ');

const noSuchPage = (): FaasError => new FaasError('not-found', '404 page not found');

export const createFunctionHandler = (parts: FunctionHandlerParts): FunctionHandler => {
  const { invoker } = parts;
  const product = `sluice/${parts.version}`;
  const date = createHttpDate();
  const end = createTurnEnds();

  const describe = (req: IncomingMessage): { callId: string; headers: string[]; answer: AnswerContext } => {
    const own = req.headers[callIdKey] as string | undefined;
    const callId = own || newCallId();
    const startTime = formatNanos(preciseNowMs());
    const chunked = req.headers['transfer-encoding'] !== undefined;
    return {
      callId,
      headers: requestHeaders(req.rawHeaders, { callId, startTime, remote: remoteOf(req), userAgent: product, chunked }),
      answer: { callId: own ? undefined : callId, startTime, servedBy: product, requestType: req.headers['content-type'], date },
    };
  };

  const begin = (target: Target, req: IncomingMessage, res: ServerResponse, body: Invocation['body']): void => {
    // The client may have left while its body was awaited; nobody would be told any more.
    if (res.destroyed) return;
    const { callId, headers, answer } = describe(req);
    const sink = new ResponseSink(req, res, answer, end);
    const method = req.method as string;
    sink.attach(invoker.invoke({ key: target.key, method, target: target.target, headers, body, callId, origin: 'http' }, sink));
  };

  return {
    handle(req, res) {
      const target = parseTarget(req.url as string, parts.defaultNamespace);
      if (target === undefined) {
        sendError(req, res, noSuchPage());
        drainBriefly(req);
      } else if (req.method === 'TRACE') {
        sendError(req, res, new FaasError('method-not-allowed', 'method TRACE is not allowed for functions'), { Allow: allowed });
        drainBriefly(req);
      } else if (!hasBody(req)) {
        if (req instanceof GatheringRequest) req.endEmpty();
        begin(target, req, res, undefined);
      } else {
        const length = smallBodyLength(req);
        if (length === undefined) begin(target, req, res, req);
        else whenSmallBody(req, length, (body) => begin(target, req, res, body));
      }
    },
    upgrade(req, socket, head) {
      const target = parseTarget(req.url as string, parts.defaultNamespace);
      if (target === undefined) {
        endRaw(socket, toRawResponse(noSuchPage(), req.headers.accept));
        return;
      }
      const { callId, headers, answer } = describe(req);
      invoker.upgrade({ ...target, callId, headers, answer: platformHeaders(answer) }, req, socket, head);
    },
  };
};
