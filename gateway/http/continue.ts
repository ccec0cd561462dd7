// `Expect: 100-continue`: the client is asked for its body when somebody begins to read it, so a request that is refused
// first is refused without it.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sends `100 Continue` with the first read; an answer without one closes the connection, for the body may come or not. */
export const continueOnRead = (req: IncomingMessage, res: ServerResponse): void => {
  const read = req._read;
  const { shouldKeepAlive } = res;
  res.shouldKeepAlive = false;
  req._read = (size) => {
    req._read = read;
    if (!res.headersSent) {
      res.shouldKeepAlive = shouldKeepAlive;
      res.writeContinue();
    }
    read.call(req, size);
  };
};
