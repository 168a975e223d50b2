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
