import { sameDigest, sha256 } from '../../crypto/keyed-digest.ts';
import type { RandomSource } from '../../platform/random.ts';

// Authentication, challenge, reset and verification tokens, and the state of a federated login: a prefix that names the purpose, then base64url of a 16-byte id and
// 32 secret bytes. 48 bytes leave no spare bits, so each token has exactly one text form. At rest there is only SHA-256 over
// the whole token, prefix included: 256 random bits need no key and no salt, and a token of one purpose is none of another.

export type TokenPrefix = 'at_' | 'ch_' | 'pr_' | 'ev_' | 'fs_';

const ID_BYTES = 16;
const SECRET_BYTES = 32;
const BODY = /^[A-Za-z0-9_-]{64}$/;

export interface OneTimeToken {
  /** What the bearer holds; never stored. */
  readonly token: string;
  /** Id of the document behind it. */
  readonly id: string;
  /** What is stored. */
  readonly digest: string;
}

/** A token that nothing can predict. */
export function randomToken(prefix: TokenPrefix, random: RandomSource): OneTimeToken {
  return tokenOf(prefix, random.bytes(ID_BYTES + SECRET_BYTES));
}

/** The token of given bytes: the first 16 are its id. Throws RangeError unless there are 48. */
export function tokenOf(prefix: TokenPrefix, bytes: Uint8Array): OneTimeToken {
  if (bytes.length !== ID_BYTES + SECRET_BYTES) throw new RangeError('a one-time token has 48 bytes');
  const token = prefix + Buffer.from(bytes).toString('base64url');
  return { token, id: Buffer.from(bytes.subarray(0, ID_BYTES)).toString('base64url'), digest: sha256(token) };
}

/** Id and digest of a token as presented; undefined when it cannot be one of that purpose. */
export function readToken(prefix: TokenPrefix, token: string): Omit<OneTimeToken, 'token'> | undefined {
  if (!token.startsWith(prefix) || !BODY.test(token.slice(prefix.length))) return undefined;
  const bytes = Buffer.from(token.slice(prefix.length), 'base64url');
  return { id: bytes.subarray(0, ID_BYTES).toString('base64url'), digest: sha256(token) };
}

/** Whether a stored digest is that of the presented token, in constant time. */
export function isToken(stored: string, presented: { readonly digest: string }): boolean {
  return sameDigest(stored, presented.digest);
}
