// Answers a registry's challenge: basic credentials as they are, or a token from the service that it names.
import { type Dispatcher, request } from 'undici';
import { FaasError } from '../../../provider/types/errors.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { type Attempted, connectionError, statusError, transient } from './registry-error.ts';
import { isPassingError, isPassingStatus } from './retry.ts';

export type TokenRequest = {
  readonly challenge: Challenge;
  readonly credentials: Credentials | undefined;
  /** As in `repository:team/app:pull,push`. */
  readonly scopes: readonly string[];
  readonly attempted: Attempted;
  /** Whether credentials may travel unencrypted: only where the registry's own traffic does. */
  readonly allowPlain: boolean;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
};

type Bearer = Extract<Challenge, { scheme: 'bearer' }>;

const basicHeader = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const scopesOf = ({ challenge, scopes }: TokenRequest): readonly string[] =>
  scopes.length > 0 || challenge.scheme === 'basic' || challenge.scope === undefined ? scopes : [challenge.scope];

const ask = (wanted: TokenRequest, { realm, service }: Bearer): Promise<Dispatcher.ResponseData> => {
  const { credentials, dispatcher, signal } = wanted;
  const url = new URL(realm);
  const scopes = scopesOf(wanted);
  const common = { dispatcher, signal, headersTimeout: 30_000, bodyTimeout: 30_000 };
  if (credentials?.kind === 'refresh') {
    const form = { grant_type: 'refresh_token', client_id: 'sluice', refresh_token: credentials.token };
    const more = { scope: scopes.join(' '), ...(service === undefined ? {} : { service }) };
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return request(url, { ...common, method: 'POST', headers, body: new URLSearchParams({ ...form, ...more }).toString() });
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const authorization = credentials === undefined ? {} : { authorization: basicHeader(credentials.user, credentials.password) };
  return request(url, { ...common, headers: authorization });
};

const readToken = (body: string): string | undefined => {
  try {
    const { token, access_token: other } = JSON.parse(body) as { token?: unknown; access_token?: unknown };
    return [token, other].find((each) => typeof each === 'string' && each !== '') as string | undefined;
  } catch {
    return undefined;
  }
};

const fetchToken = async (wanted: TokenRequest, challenge: Bearer): Promise<string> => {
  const { credentials, allowPlain } = wanted;
  const { protocol, host } = new URL(challenge.realm);
  const attempted = { ...wanted.attempted, what: `asking ${host} for a token` };
  if (credentials !== undefined && protocol !== 'https:' && !allowPlain) {
    throw new FaasError(
      'forbidden',
      `registry ${attempted.registry}: wants its credentials sent to ${challenge.realm} unencrypted`,
    );
  }
  const response = await ask(wanted, challenge).catch((error: unknown) => {
    wanted.signal.throwIfAborted();
    const failure = connectionError(attempted, error);
    throw isPassingError(error) ? transient(failure) : failure;
  });
  const body = await response.body.text();
  if (response.statusCode !== 200) {
    const failure = statusError(attempted, response.statusCode, body, credentials !== undefined);
    throw isPassingStatus(response.statusCode) ? transient(failure) : failure;
  }
  const token = readToken(body);
  if (token !== undefined) return token;
  throw new FaasError('upstream', `registry ${attempted.registry}: ${attempted.what}: expected JSON with a token`);
};

/**
 * The `Authorization` header; `undefined` when there is nothing to answer with.
 * @throws unauthorized, forbidden or upstream with the token service's own words
 */
export const answerChallenge = async (wanted: TokenRequest): Promise<string | undefined> => {
  const { challenge, credentials } = wanted;
  if (challenge.scheme === 'bearer') return `Bearer ${await fetchToken(wanted, challenge)}`;
  return credentials?.kind === 'basic' ? basicHeader(credentials.user, credentials.password) : undefined;
};
