// Listening on a unix socket without node:cluster. Why: `server.listen` loads it, and child_process and dgram with it, to
// see that this process is no worker of a cluster; that is 2 ms of each watchdog's boot.
import type { Server } from 'node:http';
import { listenBacklog } from '../provider/types/backlog.ts';

/** What `listen` comes down to where there is no cluster; old, but not documented. */
type PlainServer = { _listen2?: (path: string, port: number, addressType: number, backlog: number) => void };

/** As `server.listen(path)`: `listening` or `error` is emitted later. */
export const listenOn = (server: Server, socketPath: string): void => {
  const plain = server as unknown as PlainServer;
  if (typeof plain._listen2 === 'function') plain._listen2(socketPath, -1, -1, listenBacklog);
  else server.listen({ path: socketPath, backlog: listenBacklog });
};
