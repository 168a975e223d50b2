import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomId, systemRandom } from '../../src/platform/random.ts';

test('random bytes are of the length asked for, never given twice, and nobody else\u2019s to change', () => {
  const random = systemRandom();
  const seen = new Set<string>();
  for (let round = 0; round < 2_000; round += 1) {
    for (const length of [16, 31, 64, 65]) {
      const bytes = random.bytes(length);
      assert.equal(bytes.length, length);
      seen.add(Buffer.from(bytes).toString('hex'));
      bytes.fill(0);
    }
  }
  assert.equal(seen.size, 8_000);
  assert.ok(![...seen].some((hex) => /^0{16}|0{16}$/.test(hex)), 'no wiped bytes are given out');
});

test('each source has bytes of its own', () => {
  const ids = Array.from({ length: 100 }, () => randomId(systemRandom()));
  assert.equal(new Set(ids).size, 100);
  for (const id of ids) assert.match(id, /^[\w-]{22}$/);
});
