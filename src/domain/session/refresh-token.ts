import { timingSafeEqual } from 'node:crypto';
import { decodeBase64url } from '../../crypto/base64url.ts';
import type { KeyRing } from '../../crypto/key-ring.ts';
import { keyedDigest } from '../../crypto/keyed-digest.ts';

// Refresh tokens are not stored: `rt_` + base64url of
//
//     format (1 byte) | key id (8) | generation (6, big-endian) | HMAC-SHA-256 (32) | session id (the rest)
//
// with the HMAC over tenant, session, generation, the session's own salt and the key id. The store alone lacks the key and the key alone
// lacks the salt, so neither of them forges a token. A successor is derived, so a repeated rotation gives the same bytes.

export interface RefreshToken {
  readonly keyId: string;
  readonly generation: number;
  /** Claimed by the bearer until `isRefreshTokenOf` has said so. */
  readonly sessionId: string;
  readonly mac: Uint8Array;
}

const PREFIX = 'rt_';
const FORMAT = 1;
const KEY_ID_BYTES = 8;
const GENERATION_BYTES = 6;
const MAC_BYTES = 32;
const MAC_AT = 1 + KEY_ID_BYTES + GENERATION_BYTES;
const HEAD_BYTES = MAC_AT + MAC_BYTES;
const KEY_ID = /^[A-Za-z0-9_-]{8}$/;
const SESSION_ID = /^[A-Za-z0-9_-]{16,64}$/;
const MAX_CHARS = 256;

/** The token of one generation of a session, under the current master key. */
export function refreshTokenOf(
  ring: KeyRing,
  session: { readonly tenant: string; readonly id: string; readonly salt: string },
  generation: number,
): string {
  const head = Buffer.alloc(MAC_AT);
  head.writeUInt8(FORMAT, 0);
  head.write(ring.currentId, 1, 'latin1');
  head.writeUIntBE(generation, 1 + KEY_ID_BYTES, GENERATION_BYTES);
  const mac = macOf(ring, session, generation, ring.currentId);
  return PREFIX + Buffer.concat([head, mac, Buffer.from(session.id, 'latin1')]).toString('base64url');
}

/** The parts of a token as presented, or undefined when it cannot be one. Only its canonical text is read. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  if (text.length > MAX_CHARS || !text.startsWith(PREFIX)) return undefined;
  const bytes = decodeBase64url(text.slice(PREFIX.length));
  if (bytes === undefined || bytes.length < HEAD_BYTES || bytes[0] !== FORMAT) return undefined;
  const keyId = bytes.toString('latin1', 1, 1 + KEY_ID_BYTES);
  const sessionId = bytes.toString('latin1', HEAD_BYTES);
  if (!KEY_ID.test(keyId) || !SESSION_ID.test(sessionId)) return undefined;
  const generation = bytes.readUIntBE(1 + KEY_ID_BYTES, GENERATION_BYTES);
  return { keyId, generation, sessionId, mac: new Uint8Array(bytes.subarray(MAC_AT, HEAD_BYTES)) };
}

/** Whether the token was made by us for this session, of whatever generation. Constant-time. */
export function isRefreshTokenOf(
  ring: KeyRing,
  session: { readonly tenant: string; readonly id: string; readonly salt: string },
  token: RefreshToken,
): boolean {
  if (token.sessionId !== session.id || !ring.ids.includes(token.keyId)) return false;
  return timingSafeEqual(macOf(ring, session, token.generation, token.keyId), token.mac);
}

function macOf(
  ring: KeyRing,
  session: { readonly tenant: string; readonly id: string; readonly salt: string },
  generation: number,
  keyId: string,
): Buffer {
  const parts = ['refresh', session.tenant, session.id, String(generation), session.salt, keyId];
  return Buffer.from(keyedDigest(ring, 'refresh-mac', parts, keyId), 'base64url');
}
