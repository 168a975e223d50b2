import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyedHash } from '../../src/platform/keyed-hash.ts';

test('words, their order, their count and the last one each change the hash', () => {
  const hashes = [
    keyedHash(Int32Array.of(1, 2), 2, 0),
    keyedHash(Int32Array.of(2, 1), 2, 0),
    keyedHash(Int32Array.of(1, 2), 1, 0),
    keyedHash(Int32Array.of(1, 2), 2, 1),
    keyedHash(Int32Array.of(1, 3), 2, 0),
    keyedHash(Int32Array.of(), 0, 0),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(keyedHash(Int32Array.of(1, 2), 2, 0), keyedHash(Int32Array.of(1, 2, 9), 2, 0));
});

test('numbers in sequence spread evenly over buckets', () => {
  const buckets = new Array<number>(256).fill(0);
  for (let at = 0; at < 25_600; at += 1) {
    const bucket = keyedHash(Int32Array.of(at), 1, 4) & 255;
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  // 100 on average with a deviation of 10: eight of them off is a bad hash, whatever the key.
  for (const count of buckets) assert.ok(count > 20 && count < 180, `${count} in one bucket of 100 on average`);
});

test('the test vectors of HalfSipHash-1-3 with the key 00 to 07 pass', () => {
  // The message 00 01 02 ... of so many bytes: whole words, and a last one with what is left under the length.
  const vectors = [0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6];
  const words = Int32Array.of(0x03020100);
  for (const [length, expected] of vectors.entries()) {
    let last = length << 24;
    for (let at = length & ~3; at < length; at += 1) last |= at << (8 * (at & 3));
    const hash = keyedHash(words, length >> 2, last, 0x03020100, 0x07060504);
    assert.equal(hash >>> 0, expected, `${length} bytes`);
  }
});
