import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { createKeyRing, type Purpose, UnknownKeyError } from '../../src/crypto/key-ring.ts';

const FIRST = Buffer.alloc(32, 1);
const SECOND = Buffer.alloc(32, 0xff);

test('a derived key is HKDF-SHA-256 of the master key under the name of its purpose', () => {
  const ring = createKeyRing([FIRST.toString('base64url')]);
  const expected = hkdfSync('sha256', FIRST, '', 'sallyport/v1/refresh-mac', 32);
  assert.deepEqual(ring.key('refresh-mac'), new Uint8Array(expected));
});

test('no two purposes and no two master keys share a derived key', () => {
  const ring = createKeyRing([FIRST.toString('base64'), SECOND.toString('base64url')]);
  const purposes: readonly Purpose[] = ['refresh-mac', 'api-key-mac', 'password-pepper', 'csrf', 'totp-seed'];
  const more: readonly Purpose[] = ['signing-key', 'request-id', 'recovery-code', 'proof', 'check'];
  const keys = [...purposes, ...more].flatMap((purpose) => ring.ids.map((id) => ring.key(purpose, id)));
  assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 20);
  assert.ok(keys.every((key) => key.length === 32));
});

test('the current key comes first, ids are stable, and base64 and base64url name the same key', () => {
  const ring = createKeyRing([SECOND.toString('base64'), `${FIRST.toString('base64url')}\n`]);
  assert.equal(ring.currentId, ring.ids[0]);
  assert.equal(ring.currentId, createKeyRing([SECOND.toString('base64url')]).currentId);
  assert.match(ring.currentId, /^[A-Za-z0-9_-]{8}$/);
  assert.deepEqual(ring.key('csrf'), ring.key('csrf', ring.currentId));
});

test('a key id that is not on the ring is an error', () => {
  const ring = createKeyRing([FIRST.toString('base64url')]);
  assert.throws(() => ring.key('csrf', 'nowhere1'), UnknownKeyError);
});

test('a malformed, short, long or repeated master key is refused without being shown', () => {
  const good = FIRST.toString('base64url');
  const bad = [
    [],
    [''],
    ['not base64 at all!'],
    [Buffer.alloc(31, 1).toString('base64url')],
    [Buffer.alloc(33, 1).toString('base64url')],
    // 43 characters whose last one has spare bits set.
    [`${good.slice(0, -1)}F`],
    [good, good],
    [good, FIRST.toString('base64')],
  ];
  for (const keys of bad) {
    assert.throws(
      () => createKeyRing(keys),
      (error) => error instanceof RangeError && !keys.some((key) => key.length > 3 && error.message.includes(key)),
    );
  }
});
