import type { KeyRing } from '../../crypto/key-ring.ts';
import { keyedDigest, sameDigest } from '../../crypto/keyed-digest.ts';
import type { RandomSource } from '../../platform/random.ts';

// Signed double-submit tokens (OWASP CSRF Prevention Cheat Sheet): a nonce and an HMAC that binds it to the session, so that a cookie which
// another host of the domain planted does not go with a token it can know.
//
//     base64url(16 random bytes) "." key id "." base64url(HMAC-SHA-256 over tenant, session, nonce)

const NONCE_BYTES = 16;
const FORM = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{43})$/;

interface SessionRef {
  readonly tenant: string;
  readonly id: string;
}

/** A fresh token of the session; any number of them are good at once. */
export function csrfTokenOf(ring: KeyRing, random: RandomSource, session: SessionRef): string {
  const nonce = Buffer.from(random.bytes(NONCE_BYTES)).toString('base64url');
  return `${nonce}.${ring.currentId}.${macOf(ring, session, nonce, ring.currentId)}`;
}

/** Whether the token was made for this session. Constant-time. */
export function isCsrfTokenOf(ring: KeyRing, session: SessionRef, token: string): boolean {
  const [, nonce = '', keyId = '', mac = ''] = FORM.exec(token) ?? [];
  return ring.ids.includes(keyId) && sameDigest(mac, macOf(ring, session, nonce, keyId));
}

function macOf(ring: KeyRing, session: SessionRef, nonce: string, keyId: string): string {
  return keyedDigest(ring, 'csrf', [session.tenant, session.id, nonce], keyId);
}
