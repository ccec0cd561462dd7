// `Expect: 100-continue`: the client is asked for its body when somebody begins to read it, so a request that is refused
// first is refused without it.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sends `100 Continue` with the first read; an answer without one closes the connection, for the body may come or not. */
export const continueOnRead = (req: IncomingMessage, res: ServerResponse): void => {
  const read = req._read;
  let { shouldKeepAlive } = res;
  let isAsked = false;
  // Whoever says in the meantime that the connection ends with this answer is heard, too.
  Object.defineProperty(res, 'shouldKeepAlive', {
    get: () => isAsked && shouldKeepAlive,
    set: (value: boolean) => {
      shouldKeepAlive = value;
    },
  });
  req._read = (size) => {
    req._read = read;
    if (!res.headersSent) {
      isAsked = true;
      res.writeContinue();
    }
    read.call(req, size);
  };
};
