// Calls a handler of web style: `(Request) => Response | Promise<Response>`.

import { answer } from '../answer.ts';
import type { Call } from '../call.ts';
import { describeThrown } from '../start-error.ts';
import { IncomingRequest } from '../web/incoming.ts';
import { WebResponse } from '../web/response.ts';
import type { WebHandler } from './load.ts';
import { sendResponse } from './send-response.ts';

export type WebOptions = {
  readonly handle: WebHandler;
  readonly writeTimeoutMs: number;
  readonly printError: (text: string) => void;
};

const isResponse = (value: unknown): value is object => value instanceof WebResponse;

const describe = (value: unknown): string => (value === null ? 'null' : typeof value);

export const createWebCaller = ({ handle, writeTimeoutMs, printError }: WebOptions): ((call: Call) => void) => {
  const crash = (call: Call, error: unknown): void => {
    const gone = call.over;
    // A handler that stops because its caller left or its time is over has done right.
    if (!(gone && call.signal.aborted && error === call.signal.reason)) printError(describeThrown(error));
    if (gone) return;
    const { response } = call;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const text = String(error);
    const [name, seconds] = call.duration();
    response.writeHead(500, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(text),
      [name]: seconds,
    });
    response.end(text);
  };

  const send = (call: Call, value: unknown): void => {
    if (call.over) return;
    if (!isResponse(value)) {
      const text = `handler: expected a Response, got ${describe(value)}`;
      printError(text);
      answer(call.response, 500, text);
      return;
    }
    try {
      sendResponse(call, value, writeTimeoutMs)?.catch((error: unknown) => crash(call, error));
    } catch (error) {
      crash(call, error);
    }
  };

  return (call) => {
    let result: unknown;
    try {
      result = handle(new IncomingRequest(call) as never);
    } catch (error) {
      crash(call, error);
      return;
    }
    if (isResponse(result)) send(call, result);
    else {
      Promise.resolve(result).then(
        (value) => send(call, value),
        (error: unknown) => crash(call, error),
      );
    }
  };
};
