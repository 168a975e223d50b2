import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { csrfTokenOf, isCsrfTokenOf } from '../../../src/domain/session/csrf.ts';
import { isRefreshTokenOf, parseRefreshToken, refreshTokenOf } from '../../../src/domain/session/refresh-token.ts';
import { parseSessionToken, sessionTokenOf } from '../../../src/domain/session/session-token.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const OLD = Buffer.alloc(32, 1).toString('base64url');
const NEW = Buffer.alloc(32, 2).toString('base64url');
const ring = createKeyRing([NEW, OLD]);

const base64url = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('base64url'));
const session = fc.record({
  tenant: fc.constantFrom('default', 'acme'),
  id: fc.oneof(base64url(16), base64url(32)),
  salt: base64url(32),
});
const generation = fc.integer({ min: 1, max: 2 ** 48 - 1 });

test('a refresh token gives back the generation and session it was made of, and belongs to that session alone', () => {
  fc.assert(
    fc.property(session, session, generation, (mine, other, number) => {
      const token = parseRefreshToken(refreshTokenOf(ring, mine, number));
      assert.ok(token !== undefined);
      assert.equal(token.generation, number);
      assert.equal(token.sessionId, mine.id);
      assert.ok(isRefreshTokenOf(ring, mine, token));
      assert.ok(!isRefreshTokenOf(ring, { ...mine, tenant: 'other' }, token));
      assert.ok(!isRefreshTokenOf(ring, { ...mine, salt: other.salt }, token));
      assert.ok(!isRefreshTokenOf(ring, { ...mine, id: other.id }, token));
      assert.ok(!isRefreshTokenOf(ring, mine, { ...token, generation: number - 1 }));
    }),
  );
});

test('any change of a refresh token makes it none or one that belongs to no session', () => {
  const character = fc.constantFrom(...'ABCdef012-_.= ');
  fc.assert(
    fc.property(session, generation, fc.nat(150), character, (mine, number, position, replacement) => {
      const text = refreshTokenOf(ring, mine, number);
      const at = position % text.length;
      const changed = text.slice(0, at) + replacement + text.slice(at + 1);
      const token = parseRefreshToken(changed);
      assert.ok(changed === text || token === undefined || !isRefreshTokenOf(ring, mine, token));
    }),
  );
});

test('no text that is not a refresh token is read as one', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      assert.equal(parseRefreshToken(text), undefined);
      assert.equal(parseRefreshToken(`rt_${text}`), undefined);
    }),
  );
  assert.equal(parseRefreshToken(`rt_${'A'.repeat(1_000_000)}`), undefined);
});

test('a refresh token outlives the change of the master key, but not its removal', () => {
  const mine = { tenant: 'default', id: 'a'.repeat(22), salt: OLD };
  const token = parseRefreshToken(refreshTokenOf(createKeyRing([OLD]), mine, 5));
  assert.ok(token !== undefined);
  assert.ok(isRefreshTokenOf(ring, mine, token));
  assert.ok(!isRefreshTokenOf(createKeyRing([NEW]), mine, token));
});

test('a session token names its session, whatever the key, and is no refresh token', () => {
  fc.assert(
    fc.property(session, session, (mine, other) => {
      const text = sessionTokenOf(ring, mine);
      assert.equal(parseSessionToken(text)?.sessionId, mine.id);
      assert.equal(parseRefreshToken(text), undefined);
      assert.equal(parseRefreshToken(text.replace('ss_', 'rt_')), undefined);
      assert.equal(sessionTokenOf(ring, other) === text, JSON.stringify(mine) === JSON.stringify(other));
      assert.equal(parseSessionToken(`${text} `), undefined);
    }),
  );
});

test('a CSRF token is good for its session alone, and there are many of them', () => {
  const random = seededRandom(3);
  fc.assert(
    fc.property(session, session, fc.nat(100), (mine, other, position) => {
      const token = csrfTokenOf(ring, random, mine);
      assert.ok(isCsrfTokenOf(ring, mine, token));
      assert.notEqual(csrfTokenOf(ring, random, mine), token);
      assert.equal(isCsrfTokenOf(ring, other, token), mine.tenant === other.tenant && mine.id === other.id);
      const at = position % token.length;
      const flipped = token.slice(0, at) + (token[at] === 'x' ? 'y' : 'x') + token.slice(at + 1);
      assert.ok(!isCsrfTokenOf(ring, mine, flipped));
    }),
  );
  assert.ok(!isCsrfTokenOf(ring, { tenant: 'default', id: 'x' }, ''));
});
