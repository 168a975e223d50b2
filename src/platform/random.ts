import { randomFillSync } from 'node:crypto';

// Randomness, injected everywhere beside the clock. Only `systemRandom` may make secrets.

export interface RandomSource {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array;
}

const POOL_BYTES = 2048;
/** Longer ones are rare, and would leave most of a pool unused. */
const MAX_POOLED_BYTES = 64;

/**
 * The operating system's cryptographic generator. It is asked for many bytes at once, because asking costs ten times what the bytes of an id
 * do; those that were given out are wiped, so that no secret stays behind.
 */
export function systemRandom(): RandomSource {
  const pool = new Uint8Array(POOL_BYTES);
  let next = POOL_BYTES;
  return {
    bytes: (length) => {
      if (length > MAX_POOLED_BYTES) return randomFillSync(new Uint8Array(length));
      if (next + length > POOL_BYTES) {
        randomFillSync(pool);
        next = 0;
      }
      const given = pool.slice(next, next + length);
      pool.fill(0, next, next + length);
      next += length;
      return given;
    },
  };
}

/** 22 base64url characters (16 bytes): ids and document versions. */
export function randomId(random: RandomSource): string {
  return Buffer.from(random.bytes(16)).toString('base64url');
}
