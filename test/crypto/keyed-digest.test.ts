import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64url } from '../../src/crypto/base64url.ts';
import { createKeyRing } from '../../src/crypto/key-ring.ts';
import { keyedDigest, sameDigest, sha256 } from '../../src/crypto/keyed-digest.ts';

const ring = createKeyRing([Buffer.alloc(32, 1).toString('base64url'), Buffer.alloc(32, 2).toString('base64url')]);

test('a keyed digest is HMAC-SHA-256 over the parts, each behind its length in bytes', () => {
  const expected = createHmac('sha256', ring.key('proof')).update('1:a3:\u20ac0:').digest('base64url');
  assert.equal(keyedDigest(ring, 'proof', ['a', '\u20ac', '']), expected);
});

test('different lists of parts, purposes and keys have different digests', () => {
  const parts = fc.array(fc.string({ unit: 'binary', maxLength: 6 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const equal = JSON.stringify(a) === JSON.stringify(b);
      assert.equal(keyedDigest(ring, 'proof', a) === keyedDigest(ring, 'proof', b), equal);
    }),
  );
  assert.notEqual(keyedDigest(ring, 'proof', ['a']), keyedDigest(ring, 'csrf', ['a']));
  assert.notEqual(keyedDigest(ring, 'proof', ['a']), keyedDigest(ring, 'proof', ['a'], ring.ids[1]));
});

test('digests are equal only when every character is', () => {
  assert.ok(sameDigest('abc', 'abc'));
  for (const other of ['', 'ab', 'abd', 'abcd', 'ABC']) assert.ok(!sameDigest('abc', other));
});

test('sha256 is that of FIPS 180-4, in base64url', () => {
  assert.equal(Buffer.from(sha256('abc'), 'base64url').toString('hex').slice(0, 16), 'ba7816bf8f01cfea');
  assert.equal(sha256('abc'), sha256(new TextEncoder().encode('abc')));
});

test('base64url is read only in its canonical form', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url');
      assert.deepEqual(new Uint8Array(decodeBase64url(text) ?? Buffer.from('?')), bytes);
    }),
  );
  for (const text of ['QR', 'QUJ=', 'QUI=', 'Q', 'QU I', 'QUI\n', 'QU+I', 'QU/I', 'QU.I', 'QUJDR']) {
    assert.equal(decodeBase64url(text), undefined, text);
  }
});
