import { randomFillSync } from 'node:crypto';

// HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"; the 32-bit variant that Linux uses for its hash tables): who
// chooses the names that a table holds cannot choose where they fall without the key. The key is of this process and nothing that
// anybody sees depends on it, which is why it alone of all randomness is not passed around. Not for secrets.

const [KEY_LOW = 0, KEY_HIGH = 0] = randomFillSync(new Int32Array(2));

/** A 32-bit hash, of either sign, of the first `count` words and of `last`. Another key than that of this process is for the published vectors. */
export function keyedHash(words: Int32Array, count: number, last: number, low = KEY_LOW, high = KEY_HIGH): number {
  let v0 = low;
  let v1 = high;
  let v2 = 0x6c796765 ^ low;
  let v3 = 0x74656462 ^ high;
  // One round for each word and for `last`, then three that finish.
  for (let at = 0; at < count + 4; at += 1) {
    const word = at < count ? (words[at] ?? 0) : at === count ? last : 0;
    if (at === count + 1) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
