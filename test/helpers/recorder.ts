// A function's stand-in on a raw TCP socket: keeps every byte that reaches it and answers with bytes that a test wrote. It is no
// HTTP server on purpose: where a request ends it decides by itself, and nothing is tidied up before a test sees it.
import type { Socket } from 'node:net';
import type { Cleanup } from './cleanup.ts';
import { listenTcp } from './listen.ts';

export type RawRequest = {
  /** Head with its empty line, as it came. */
  readonly head: string;
  readonly method: string;
  readonly target: string;
};

export type Script = {
  /** Sent as they stand, one write each. */
  readonly bytes: string | readonly string[];
  /** `head` answers before the body is there; default `end`. */
  readonly at?: 'head' | 'end';
  /** What becomes of the connection afterwards; default `keep`. */
  readonly afterwards?: 'keep' | 'end' | 'destroy' | 'reset';
};

export type Recording = {
  /** All that came on this connection, one character a byte. */
  bytes: string;
  open: boolean;
};

export type Recorder = {
  readonly port: number;
  /** In the order in which connections were made. */
  readonly connections: readonly Recording[];
  /** All bytes of all connections as they came in. */
  readonly received: string;
};

const textAnswer = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

/** Says which request it is the answer to. */
export const ownAnswer = ({ method, target }: RawRequest): Script => ({
  bytes: method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n' : textAnswer(`answer to ${method} ${target}`),
});

/** Where the body that begins at `start` ends; -1 while it is not all there. */
const bodyEnd = (bytes: string, start: number, head: string): number => {
  if (/^transfer-encoding:/im.test(head)) {
    let at = start;
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at);
      if (lineEnd === -1) return -1;
      const size = Number.parseInt(bytes.slice(at, lineEnd), 16);
      at = lineEnd + 2;
      if (size === 0) {
        const end = bytes.startsWith('\r\n', at) ? at + 2 : bytes.indexOf('\r\n\r\n', at) + 4;
        return end <= bytes.length && end > 3 ? end : -1;
      }
      at += size + 2;
    }
  }
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return bytes.length >= start + length ? start + length : -1;
};

const finish = (socket: Socket, how: Script['afterwards']): void => {
  if (how === 'end') socket.end();
  else if (how === 'destroy') socket.destroySoon();
  else if (how === 'reset') socket.resetAndDestroy();
};

const serve = (socket: Socket, recording: Recording, answer: (request: RawRequest) => Script): void => {
  let start = 0;
  let waiting: Script | undefined;
  const send = (script: Script): void => {
    for (const part of [script.bytes].flat()) socket.write(part, 'latin1');
    if (script.afterwards !== undefined) setImmediate(finish, socket, script.afterwards);
  };
  const look = (): void => {
    for (;;) {
      const headEnd = recording.bytes.indexOf('\r\n\r\n', start);
      if (headEnd === -1) return;
      const head = recording.bytes.slice(start, headEnd + 4);
      if (waiting === undefined) {
        const [method = '', target = ''] = head.split(' ');
        waiting = answer({ head, method, target });
        if (waiting.at === 'head') send(waiting);
      }
      const end = bodyEnd(recording.bytes, headEnd + 4, head);
      if (end === -1) return;
      if (waiting.at !== 'head') send(waiting);
      start = end;
      waiting = undefined;
    }
  };
  socket.on('data', (chunk: Buffer) => {
    recording.bytes += chunk.toString('latin1');
    look();
  });
};

/** On a free port. `answer` is asked once for a request, when its head has come. */
export const startRecorder = async (t: Cleanup, answer: (request: RawRequest) => Script = ownAnswer): Promise<Recorder> => {
  const connections: Recording[] = [];
  let received = '';
  const { port } = await listenTcp(t, (socket) => {
    const recording: Recording = { bytes: '', open: true };
    connections.push(recording);
    socket.on('error', () => {});
    socket.once('close', () => {
      recording.open = false;
    });
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    serve(socket, recording, answer);
  });
  return {
    port,
    connections,
    get received() {
      return received;
    },
  };
};
