import type { KeyRing } from '../../crypto/key-ring.ts';
import { keyedDigest, sameDigest } from '../../crypto/keyed-digest.ts';
import type { RandomSource } from '../../platform/random.ts';

// Recovery codes: 120 random bits in Crockford's base32 (no I, L, O, U), six groups of four: `7Q2M-X4KD-9TZV-3HRB-W6PF-1NCJ`. Read
// back in any case, with or without dashes, and with the letters that look like digits taken for those.

export const RECOVERY_CODES = 10;

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_BYTES = 15;
const CODE = /^[0-9A-HJKMNP-TV-Z]{24}$/;

export function newRecoveryCodes(random: RandomSource): readonly string[] {
  return Array.from({ length: RECOVERY_CODES }, () => group(encode(random.bytes(CODE_BYTES))));
}

/** What is stored of a code: the id of the master key, `.`, and a keyed digest over user and code. */
export function recoveryDigest(ring: KeyRing, tenant: string, userId: string, code: string, keyId?: string): string {
  const id = keyId ?? ring.currentId;
  return `${id}.${keyedDigest(ring, 'recovery-code', [tenant, userId, canonical(code)], id)}`;
}

/** The stored digest that this code is of, if it is among them; undefined also for a malformed code. */
export function findRecoveryCode(
  ring: KeyRing,
  tenant: string,
  userId: string,
  stored: readonly string[],
  code: string,
): string | undefined {
  if (!CODE.test(canonical(code))) return undefined;
  let found: string | undefined;
  for (const digest of stored) {
    const keyId = digest.slice(0, Math.max(0, digest.indexOf('.')));
    // Made under a master key that is gone: it cannot be checked, so it does not count.
    if (!ring.ids.includes(keyId)) continue;
    if (sameDigest(digest, recoveryDigest(ring, tenant, userId, code, keyId))) found = digest;
  }
  return found;
}

function canonical(code: string): string {
  if (code.length > 64) return '';
  return code.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}

function encode(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let shift = BigInt(bytes.length * 8 - 5); shift >= 0n; shift -= 5n) {
    text += ALPHABET[Number((bits >> shift) & 31n)];
  }
  return text;
}

function group(text: string): string {
  return text.replace(/(.{4})(?=.)/g, '$1-');
}
