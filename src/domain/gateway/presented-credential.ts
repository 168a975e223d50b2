import type { RequestHeaders } from './request-headers.ts';

// What a request proves its sender with. The first kind that is there counts, good or bad: one that is refused is never made up for by
// another, or whatever is behind the gateway could take the request for somebody else's.

export type PresentedCredential =
  | { readonly kind: 'access_token'; readonly token: string }
  | { readonly kind: 'api_key'; readonly key: string }
  | { readonly kind: 'session'; readonly token: string }
  | { readonly kind: 'none' }
  /** Something is there that can be none of ours. */
  | { readonly kind: 'unusable' };

/** RFC 6750 section 2.1; any case of the scheme (RFC 9110 section 11.1). Two headers that were joined have a comma, which is not in it. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const API_KEY = /^[A-Za-z0-9_]+$/;
/** Longer ones are none of ours. */
const MAX_CHARS = 8192;
const KEY_PREFIX = 'sk_';

/** `cookie` is the name of the session cookie. */
export function presentedCredential(headers: RequestHeaders, cookie: string): PresentedCredential {
  const authorization = headers.joined('authorization');
  if (authorization !== undefined) {
    const token = authorization.length > MAX_CHARS ? undefined : BEARER.exec(authorization)?.[1];
    if (token === undefined) return UNUSABLE;
    return token.startsWith(KEY_PREFIX) ? apiKey(token) : { kind: 'access_token', token };
  }
  const key = headers.joined('x-api-key');
  if (key !== undefined) return apiKey(key);
  const session = headers.cookie(cookie);
  if (session === undefined) return { kind: 'none' };
  return session === '' || session.length > MAX_CHARS ? UNUSABLE : { kind: 'session', token: session };
}

const UNUSABLE = { kind: 'unusable' } as const;

function apiKey(key: string): PresentedCredential {
  return key.length > MAX_CHARS || !API_KEY.test(key) ? UNUSABLE : { kind: 'api_key', key };
}
