import { timingSafeEqual } from 'node:crypto';
import { HOTP, Secret, TOTP } from 'otpauth';
import type { RandomSource } from '../../platform/random.ts';

// Time-based one-time passwords: RFC 6238 with SHA-1 and steps of 30 s, six digits, as authenticator apps assume.

export const TOTP_STEP_MS = 30_000;
/** RFC 4226 section 4 R6 asks for 128 bits at least and recommends 160. */
export const TOTP_SECRET_BYTES = 20;

const DIGITS = 6;
/** Steps either side that are accepted: clocks of phones differ (RFC 6238 section 5.2). */
const WINDOW = 1;

export function newTotpSecret(random: RandomSource): Uint8Array {
  return random.bytes(TOTP_SECRET_BYTES);
}

export function totpStep(atMs: number): number {
  return Math.floor(atMs / TOTP_STEP_MS);
}

/** The code of a step. `digits` is 6 but for the table of RFC 6238, which has 8. */
export function totpCode(secret: Uint8Array, step: number, digits: number = DIGITS): string {
  return HOTP.generate({ secret: secretOf(secret), algorithm: 'SHA1', digits, counter: step });
}

/** Steps around `atMs` whose code this is, ascending; mostly none or one. Takes the same time whatever the code is. */
export function matchingSteps(secret: Uint8Array, code: string, atMs: number): readonly number[] {
  const given = Buffer.alloc(DIGITS);
  const wellFormed = /^\d{6}$/.test(code);
  if (wellFormed) given.write(code, 'latin1');
  const now = totpStep(atMs);
  const matching: number[] = [];
  for (let step = now - WINDOW; step <= now + WINDOW; step += 1) {
    const same = timingSafeEqual(given, Buffer.from(totpCode(secret, step), 'latin1'));
    if (same && wellFormed) matching.push(step);
  }
  return matching;
}

/** Base32 without padding, as apps take it typed. */
export function totpSecretText(secret: Uint8Array): string {
  return secretOf(secret).base32;
}

/** `otpauth://totp/...`: the key URI that apps read from a QR code. */
export function totpUri(secret: Uint8Array, issuer: string, account: string): string {
  return new TOTP({
    issuer,
    label: account,
    secret: secretOf(secret),
    algorithm: 'SHA1',
    digits: DIGITS,
    period: TOTP_STEP_MS / 1000,
  }).toString();
}

function secretOf(bytes: Uint8Array): Secret {
  return new Secret({ buffer: Uint8Array.from(bytes).buffer });
}
