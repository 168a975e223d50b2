import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_HEAD, entryDigest, follows, nextEntry } from '../../src/domain/change-log.ts';

test('a digest is SHA-256 over the canonical text, so it can be computed with any other tool', () => {
  const entry = nextEntry(EMPTY_HEAD, 'policy/acme', { b: 1, a: [true, null] }, 1000, 'w');
  // printf '["","policy/acme",1,"w",1000,{"a":[true,null],"b":1}]' | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
  assert.equal(entry.digest, 'r_X0HqMbqlgujiNrheLad9nFAx0m1oBf-6MdfA02UUs');
  assert.equal(entryDigest(entry), entry.digest);
});

test('the order of members in a body does not change the digest', () => {
  const one = nextEntry(EMPTY_HEAD, 's', { a: 1, b: { c: 2, d: 3 } }, 1, 'w');
  const other = nextEntry(EMPTY_HEAD, 's', { b: { d: 3, c: 2 }, a: 1, e: undefined }, 1, 'w');
  assert.equal(one.digest, other.digest);
});

test('fields cannot run into each other', () => {
  const one = nextEntry(EMPTY_HEAD, 's","x', 'y', 1, 'w');
  const other = nextEntry(EMPTY_HEAD, 's', 'y', 1, 'x","w');
  assert.notEqual(one.digest, other.digest);
});

test('a chain of entries follows, one with a gap, a swap or another past does not', () => {
  const first = nextEntry(EMPTY_HEAD, 's', 1, 1, 'w1');
  const second = nextEntry(first, 's', 2, 2, 'w2');
  const third = nextEntry(second, 's', 3, 3, 'w3');
  assert.ok(follows(EMPTY_HEAD, first) && follows(first, second) && follows(second, third));
  assert.ok(!follows(first, third), 'gap');
  assert.ok(!follows(second, first) && !follows(second, second), 'backwards');
  const otherFirst = nextEntry(EMPTY_HEAD, 's', 'another', 1, 'w1');
  assert.ok(!follows(otherFirst, second), 'another past');
  const relinked = { ...second, previous: otherFirst.digest };
  assert.ok(!follows(otherFirst, relinked), 'relinked without a new digest');
});
