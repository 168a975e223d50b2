import { randomFillSync } from 'node:crypto';

// Randomness, injected everywhere beside the clock. Only `systemRandom` may make secrets.

export interface RandomSource {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array;
}

/** The operating system's cryptographic generator. */
export function systemRandom(): RandomSource {
  return { bytes: (length) => randomFillSync(new Uint8Array(length)) };
}

/** 22 base64url characters (16 bytes): ids and document versions. */
export function randomId(random: RandomSource): string {
  return Buffer.from(random.bytes(16)).toString('base64url');
}
