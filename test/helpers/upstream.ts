// A function's stand-in: records what reaches it and answers what the test says.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Cleanup } from './cleanup.ts';
import { listen } from './listen.ts';

export type SeenRequest = {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
};

export type Upstream = {
  readonly port: number;
  readonly url: string;
  /** In the order in which their bodies were complete. */
  readonly requests: readonly SeenRequest[];
  /** The last request; fails when there was none. */
  last(): SeenRequest;
};

type Answer = (request: SeenRequest, response: ServerResponse, raw: IncomingMessage) => void;

const echo: Answer = (request, response) => {
  response.setHeader('Content-Type', 'application/octet-stream');
  response.end(request.body);
};

/** On a free TCP port, or on the unix socket `path`. Without `answer` it echoes the body. */
export const startUpstream = async (t: Cleanup, answer: Answer = echo, path?: string): Promise<Upstream> => {
  const requests: SeenRequest[] = [];
  const handle = async (raw: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(raw);
    const request: SeenRequest = {
      method: raw.method ?? '',
      url: raw.url ?? '',
      headers: raw.headers,
      rawHeaders: raw.rawHeaders,
      body,
    };
    requests.push(request);
    answer(request, response, raw);
  };
  const { port, url } = await listen(
    t,
    (raw, response) => {
      handle(raw, response).catch(() => response.destroy());
    },
    path,
  );
  return {
    port,
    url,
    requests,
    last: () => {
      const request = requests.at(-1);
      if (request === undefined) throw new Error('no request reached the upstream');
      return request;
    },
  };
};
