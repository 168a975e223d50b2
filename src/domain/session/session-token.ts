import { decodeBase64url } from '../../crypto/base64url.ts';
import type { KeyRing } from '../../crypto/key-ring.ts';
import { keyedDigest, sameDigest, sha256 } from '../../crypto/keyed-digest.ts';
import type { SessionDocument } from './use-cases.ts';

// Session tokens of cookies: `ss_` + base64url of 32 secret bytes and the session id. At rest there is SHA-256 of the whole token.
//
// The secret is an HMAC over the session's own 32 random bytes, so that a login repeated after a lost answer gets the same token; as
// with refresh tokens, neither the store alone nor the master key alone makes one.

export interface SessionToken {
  /** Claimed by the bearer until `isSessionTokenOf` has said so. */
  readonly sessionId: string;
  readonly digest: string;
}

const PREFIX = 'ss_';
const SECRET_BYTES = 32;
const SESSION_ID = /^[A-Za-z0-9_-]{16,64}$/;
const MAX_CHARS = 192;

/** The token of a session, under one of the ring's master keys. */
export function sessionTokenOf(
  ring: KeyRing,
  session: { readonly tenant: string; readonly id: string; readonly salt: string },
  keyId: string = ring.currentId,
): string {
  const secret = keyedDigest(ring, 'refresh-mac', ['cookie', session.tenant, session.id, session.salt], keyId);
  const bytes = [Buffer.from(secret, 'base64url'), Buffer.from(session.id, 'latin1')];
  return PREFIX + Buffer.concat(bytes).toString('base64url');
}

/** What is stored of a token. */
export function sessionTokenDigest(token: string): string {
  return sha256(token);
}

/** The parts of a token as presented, or undefined when it cannot be one. Only its canonical text is read. */
export function parseSessionToken(text: string): SessionToken | undefined {
  if (text.length > MAX_CHARS || !text.startsWith(PREFIX)) return undefined;
  const bytes = decodeBase64url(text.slice(PREFIX.length));
  const sessionId = bytes?.toString('latin1', SECRET_BYTES);
  if (sessionId === undefined || !SESSION_ID.test(sessionId)) return undefined;
  return { sessionId, digest: sha256(text) };
}

/** Whether the token is the session's. Constant-time. */
export function isSessionTokenOf(session: SessionDocument, token: SessionToken): boolean {
  return (
    session.kind === 'cookie' &&
    session.id === token.sessionId &&
    session.secretDigest !== undefined &&
    sameDigest(session.secretDigest, token.digest)
  );
}
