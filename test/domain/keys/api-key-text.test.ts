import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { base62 } from '../../../src/crypto/base62.ts';
import { checksum } from '../../../src/crypto/checksum.ts';
import { newApiKeyText, parseApiKeyText } from '../../../src/domain/keys/api-key-text.ts';
import { seededRandom } from '../../support/seeded-random.ts';

test('a key has the form of the contract, and its parts are read back', () => {
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), (seed, isTest) => {
      const key = newApiKeyText(seededRandom(seed), isTest);
      assert.match(key.text, isTest ? /^sk_test_[0-9A-Za-z]{65}$/ : /^sk_live_[0-9A-Za-z]{65}$/);
      assert.deepEqual(parseApiKeyText(key.text), key);
    }),
  );
});

test('a key with one character changed, added or removed is none', () => {
  const { text } = newApiKeyText(seededRandom(1), false);
  for (let at = 0; at < text.length; at += 1) {
    for (const other of ['0', 'Z', 'a', '_', ' ']) {
      if (text[at] === other) continue;
      assert.equal(parseApiKeyText(text.slice(0, at) + other + text.slice(at + 1)), undefined);
    }
    assert.equal(parseApiKeyText(text.slice(0, at) + text.slice(at + 1)), undefined);
  }
  for (const other of [`${text}\n`, ` ${text}`, `${text}0`, '', text.toUpperCase()]) {
    assert.equal(parseApiKeyText(other), undefined);
  }
});

test('the checksum is the CRC-32 of zlib and PNG', () => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(0xcbf43926);
  assert.equal(checksum('123456789'), base62(bytes, 6));
});

test('base62 is of fixed width, keeps 32 bytes apart in 43 characters, and wraps where it must', () => {
  assert.equal(base62(new Uint8Array(), 3), '000');
  assert.equal(base62(Uint8Array.of(61), 2), '0z');
  assert.equal(base62(Uint8Array.of(62), 1), '0');
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(base62(a, 43).length, 43);
      assert.equal(base62(a, 43) === base62(b, 43), Buffer.from(a).equals(Buffer.from(b)));
    }),
  );
});
