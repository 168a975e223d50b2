import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { KeyRing, Purpose } from './key-ring.ts';

// Digests: HMAC-SHA-256 under a derived key where whoever reads the store must not be able to make or test values, SHA-256 where the
// input itself is 256 random bits.

/**
 * HMAC-SHA-256, 43 base64url characters, over `parts`. Each part goes in behind its length in bytes, so that no two lists of parts are
 * one text. Throws UnknownKeyError for a `keyId` that is not on the ring.
 */
export function keyedDigest(ring: KeyRing, purpose: Purpose, parts: readonly string[], keyId?: string): string {
  const hmac = createHmac('sha256', keyObjectOf(ring.key(purpose, keyId)));
  let text = '';
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return hmac.update(text).digest('base64url');
}

/** A derived key is one array as long as its ring lives. Making a key object of it costs Node several times as much as the digest. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function keyObjectOf(key: Uint8Array): KeyObject {
  let object = keyObjects.get(key);
  if (object === undefined) {
    object = createSecretKey(key);
    keyObjects.set(key, object);
  }
  return object;
}

/** Equality in a time that depends on the lengths alone. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** SHA-256 as 43 base64url characters. */
export function sha256(value: string | Uint8Array): string {
  return hash('sha256', value, 'base64url');
}
