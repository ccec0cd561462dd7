// Mode http: the function is a server of its own, and calls are forwarded to it, streaming both ways.
import type { ClientRequest, Agent as HttpAgent, IncomingMessage, InformationEvent } from 'node:http';
import type { Socket } from 'node:net';
import { longestTimerMs } from '../../provider/types/duration.ts';
import { readAfterBrokenWrite } from '../../provider/types/early-answer.ts';
import type { Call } from '../call.ts';
import { startServerProcess } from '../child.ts';
import type { Config, Environment, Start } from '../config.ts';
import { endToEnd, requestHeaders, trailersOf } from '../forwarded.ts';
import { isEventStream } from '../inproc/send-response.ts';
import { sendHead } from '../latin-head.ts';
import { Agent, request as send } from '../node-http.ts';
import { hasBody, readBody } from '../read-body.ts';
import { sendBody } from '../send-body.ts';
import { StartError } from '../start-error.ts';
import { chooseUpstream, type Upstream, waitForListener } from '../upstream.ts';
import type { OnDeath, Runner } from './runner.ts';
import { createUpgrade } from './upgrade.ts';

/** Shorter than any server's own limit, so that a kept connection is not closed under a call of ours. */
const idleConnectionMs = 1000;
const stopGraceMs = 5000;

/** As the gateway has it. */
const maxHeaderBytes = 1024 * 1024;

type Forwarding = {
  readonly config: Config;
  readonly upstream: Upstream;
  readonly agent: HttpAgent;
  readonly unwritable: Unwritable;
};

/** Connections whose other end was closed when a call was written: the kernel took nothing of it. */
type Unwritable = WeakSet<Socket>;

/** `103 Early Hints` and its like; what is slow to be read must not pile up. */
const sendInformation = ({ request, response, over }: Call, from: InformationEvent): void => {
  // A `100 Continue` answers nothing: node:http has asked for the body itself.
  if (from.statusCode === 100 || over || request.httpVersionMinor === 0 || request.socket.writableNeedDrain) return;
  response.writeInformation?.(from.statusCode, endToEnd(from));
};

const canTrail = ({ request }: Call, { headers, statusCode }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined &&
  request.httpVersionMinor > 0 &&
  request.method !== 'HEAD' &&
  statusCode !== 204 &&
  statusCode !== 304;

const sendBack = (call: Call, from: IncomingMessage, config: Config): void => {
  const { response } = call;
  const trails = canTrail(call, from);
  const headers = endToEnd(from, trails);
  headers.push(...call.duration());
  try {
    response.writeHead(from.statusCode as number, from.statusMessage, headers);
  } catch (error) {
    from.destroy();
    call.fail(500, `watchdog: the function's server answered what HTTP does not have: ${(error as Error).message}`);
    return;
  }
  if (from.headers['content-length'] === undefined) sendHead(response);
  const streams = isEventStream(from.headers['content-type'] ?? '') || isEventStream(call.request.headers.accept ?? '');
  if (streams) call.limit(config.writeTimeoutMs, 'write_timeout');
  // An answer that stops in its middle must look so to the client too.
  from.on('close', () => {
    if (!from.complete) response.destroy();
  });
  from.on('error', () => response.destroy());
  from.on('end', () => {
    if (trails && from.rawTrailers.length > 0) response.addTrailers(trailersOf(from));
  });
  from.pipe(response);
};

/** @param unwritable gets the connections that become so */
const createAgent = (unwritable: Unwritable): HttpAgent => {
  const agent = new Agent({ keepAlive: true, timeout: idleConnectionMs });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, onConnected) => {
    const socket = connect(options, onConnected) as Socket;
    readAfterBrokenWrite(socket, (error) => {
      if (error.code === 'EPIPE') unwritable.add(socket);
    });
    return socket;
  };
  return agent;
};

/**
 * Whether the server closed a kept connection before it read the call: then the kernel takes nothing more for it, or, on a
 * unix socket of Linux, resets it, which it does only when something was left unread. Any other end tells nothing.
 */
const isUnread = (
  sent: ClientRequest,
  { code, syscall }: NodeJS.ErrnoException,
  { upstream, unwritable }: Forwarding,
): boolean => {
  // A new connection is never taken for one, so this comes to an end.
  if (!sent.reusedSocket) return false;
  if (sent.socket !== null && unwritable.has(sent.socket)) return true;
  const tellsUnread = 'socketPath' in upstream.address && process.platform === 'linux';
  return tellsUnread && code === 'ECONNRESET' && syscall === 'read';
};

/** @param body the whole body where it was read beforehand */
const forward = (parts: Forwarding, call: Call, body: Buffer | undefined): void => {
  const { request } = call;
  const { upstream, agent, config } = parts;
  const sent = send({
    ...upstream.address,
    agent,
    method: request.method as string,
    path: upstream.prefix + (request.url as string),
    headers: requestHeaders(request, body?.length),
    setHost: false,
    maxHeaderSize: maxHeaderBytes,
  });
  // node:http would leave out those beyond the two thousandth.
  sent.maxHeadersCount = 0;
  let answered = false;
  sent.on('information', (from) => sendInformation(call, from));
  sent.on('response', (from) => {
    answered = true;
    sendBack(call, from, config);
  });
  sent.on('error', (error: NodeJS.ErrnoException) => {
    if (call.over || answered) return;
    // A body takes several writes, of which the first may have been read.
    if (!hasBody(request) && isUnread(sent, error, parts)) forward(parts, call, undefined);
    else call.fail(500, `watchdog: the function's server did not answer: ${error.message}`, call.duration());
  });
  call.onAbort = () => sent.destroy();
  if (body !== undefined) sent.end(body);
  else if (hasBody(request)) sendBody(request, sent);
  else sent.end();
};

const forwardBuffered = (parts: Forwarding, call: Call): void => {
  readBody(call.request, Number.POSITIVE_INFINITY, (error, body) => {
    if (error === undefined && !call.over) forward(parts, call, body);
  });
};

/** Where the function should listen, and how it could know. */
const describeAddress = ({ address, environment }: Upstream): string => {
  const where = 'socketPath' in address ? address.socketPath : `port ${address.port}`;
  const names = Object.keys(environment).join(' and ');
  return names === '' ? where : `${where}, which it is told in ${names},`;
};

export type HttpParts = {
  readonly config: Config;
  readonly env: Environment;
  readonly start: Start;
  readonly onDeath: OnDeath;
  readonly waitUntilReady: boolean;
};

/** @throws StartError: `LoadFailed`, `Exited` before it listened, or `NeverReady` */
export const createHttpRunner = async ({ config, env, start, onDeath, waitUntilReady }: HttpParts): Promise<Runner> => {
  const upstream = await chooseUpstream(config, start);
  const child = startServerProcess(config, { ...env, ...upstream.environment });
  await child.started;
  const search = new AbortController();
  let listening = false;
  let stopping = false;
  let failure: StartError | undefined;

  const found = waitForListener(upstream.address, search.signal).then((yes) => {
    listening = yes;
  });
  const command = config.fprocess.join(' ');
  child.exited.then((how) => {
    failure = new StartError('Exited', `fprocess ${command}: exited with ${how}`);
    search.abort();
    if (!stopping && (listening || !waitUntilReady)) onDeath(failure);
    listening = false;
  }, onDeath);

  if (waitUntilReady) {
    const limitMs = Math.min(config.readyTimeoutMs, longestTimerMs);
    const timer = limitMs === 0 ? undefined : setTimeout(() => search.abort(), limitMs);
    await found;
    clearTimeout(timer);
    if (!listening) {
      stopping = true;
      child.kill();
      const where = describeAddress(upstream);
      const text = `fprocess ${command}: did not listen on ${where} within ready_timeout of ${config.readyTimeoutMs / 1000}s`;
      throw failure ?? new StartError('NeverReady', text);
    }
  }

  const unwritable: Unwritable = new WeakSet();
  const agent = createAgent(unwritable);
  const parts: Forwarding = { config, upstream, agent, unwritable };
  const end = (): void => {
    stopping = true;
    search.abort();
    agent.destroy();
  };
  return {
    handle: (call) =>
      config.bufferBody && hasBody(call.request) ? forwardBuffered(parts, call) : forward(parts, call, undefined),
    upgrade: createUpgrade(upstream, config.execTimeoutMs),
    ready: () => listening,
    stop: async () => {
      end();
      await child.stop(stopGraceMs);
    },
    kill: () => {
      end();
      child.kill();
    },
  };
};
