// One registry: requests with its login, repeated while failures look as if they would pass.
import { parseChallenge } from './challenge.ts';
import type { Credentials, Environment, FindCredentials } from './credentials.ts';
import { registryUrl } from './reference.ts';
import { isTransient, statusError, transient } from './registry-error.ts';
import { isPassingStatus, maxAttempts, type Pause, pauseMs, retryAfterMs } from './retry.ts';
import { answerChallenge } from './token.ts';
import { type Call, createTransport, headerOf, type Reply } from './transport.ts';

export type RegistryParts = Pause & {
  /** Host and port as in image names. */
  readonly registry: string;
  /** Hosts that speak plain HTTP. */
  readonly insecure: readonly string[];
  readonly findCredentials: FindCredentials;
  /** For http_proxy and friends. */
  readonly env: Environment;
  readonly now: () => number;
  readonly signal: AbortSignal;
};

export type Registry = {
  readonly name: string;
  /** @throws with registry, repository, status and what to do; transient failures only after the last attempt */
  send(call: Call): Promise<Reply>;
  /** Waits before attempt `next`, as long as the failure asks for. */
  rest(next: number, error: unknown): Promise<void>;
  close(): Promise<void>;
};

/** Authorization headers by scope. What several calls need at once is asked for once. */
type Logins = Map<string, Promise<string | undefined>>;

export const createRegistry = (parts: RegistryParts): Registry => {
  const { registry, signal, findCredentials } = parts;
  const base = registryUrl(registry, parts.insecure);
  const { dispatcher, follow } = createTransport(base, parts.env, signal);
  const logins: Logins = new Map();

  const login = (call: Call, refused: Reply, credentials: Credentials | undefined): Promise<string | undefined> => {
    const challenge = parseChallenge(headerOf(refused, 'www-authenticate') ?? '');
    if (challenge === undefined) return Promise.resolve(undefined);
    const { attempted, scopes } = call;
    const allowPlain = base.startsWith('http:');
    return answerChallenge({ challenge, credentials, scopes, attempted, allowPlain, dispatcher, signal });
  };

  const authorized = async (call: Call): Promise<Reply> => {
    const key = call.scopes.join(' ');
    const known = logins.get(key);
    const before = await known;
    const reply = await follow(call, before);
    if (reply.status !== 401) return reply;
    // A token runs out during a long upload; whoever sees it first asks for the next one, for all.
    let renewed = logins.get(key);
    if (renewed === known || renewed === undefined) {
      renewed = findCredentials(registry).then((credentials) => login(call, reply, credentials));
      logins.set(key, renewed);
      renewed.catch(() => logins.delete(key));
    }
    const authorization = await renewed;
    if (authorization === undefined || authorization === before) return reply;
    await reply.body.dump();
    return follow(call, authorization);
  };

  const attempt = async (call: Call): Promise<Reply> => {
    const reply = await authorized(call);
    if (call.expect.includes(reply.status)) return reply;
    const text = await reply.body.text().catch(() => '');
    const hadLogin = (await findCredentials(registry)) !== undefined;
    const failure = statusError(call.attempted, reply.status, text, hadLogin);
    throw isPassingStatus(reply.status) ? transient(failure, retryAfterMs(reply.headers, parts.now())) : failure;
  };

  const rest = async (next: number, error: unknown): Promise<void> => {
    const asked = isTransient(error) && error.retryAfterS !== undefined ? error.retryAfterS * 1000 : 0;
    await parts.sleep(Math.max(asked, pauseMs(next, parts.random())));
    signal.throwIfAborted();
  };

  return {
    name: registry,
    rest,
    send: async (call) => {
      for (let next = 2; ; next += 1) {
        try {
          return await attempt(call);
        } catch (error) {
          if (call.once || !isTransient(error) || next > maxAttempts) throw error;
          await rest(next, error);
        }
      }
    },
    close: () => dispatcher.destroy(),
  };
};
