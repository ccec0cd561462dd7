// Basic authentication (RFC 7617): who makes a request of the control API.
import { createHash, timingSafeEqual } from 'node:crypto';

/** Who makes a request; where authorisation rules will find their subject. */
export type Principal = { readonly kind: 'admin'; readonly name: string } | { readonly kind: 'anonymous' };

/** The principal behind an `Authorization` header; `undefined` when it is missing or wrong. */
export type Authenticate = (authorization: string | undefined) => Principal | undefined;

/** What a 401 says beside its body. OpenFaaS contract, fact 6. */
export const challenge = 'Basic realm="Restricted"';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** User and password of a header; `undefined` when it is no basic one. */
export const parseBasic = (authorization: string): { readonly user: string; readonly password: string } | undefined => {
  const match = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(authorization);
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
};

/** Both sides are hashed and both fields compared in every case, so that the time says nothing about either. */
export const basicAuth = (credentials: { readonly user: string; readonly password: string }): Authenticate => {
  const user = digest(credentials.user);
  const password = digest(credentials.password);
  return (authorization) => {
    const given = parseBasic(authorization ?? '');
    if (given === undefined) return undefined;
    const sameUser = timingSafeEqual(digest(given.user), user);
    const samePassword = timingSafeEqual(digest(given.password), password);
    return sameUser && samePassword ? { kind: 'admin', name: credentials.user } : undefined;
  };
};

/** For a gateway that was told to protect nothing. */
export const noAuth: Authenticate = () => ({ kind: 'anonymous' });
