import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SigningKeyRecord } from '../../../src/domain/keys/key-set.ts';
import { dueAt, dueStep, RETIRED_KEPT_MS, rotated, withNext, withRevoked } from '../../../src/domain/keys/rotation.ts';

const policy = { publishMs: 100, maxAgeMs: 1000 };

const made = (kid: string, createdAt: number, more: Partial<SigningKeyRecord> = {}): SigningKeyRecord => ({
  kid,
  algorithm: 'ES256',
  status: 'next',
  createdAt,
  publicJwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  sealedPrivateJwk: 'sealed',
  ...more,
});

const start = [made('a', 0, { status: 'active', activatedAt: 0 }), made('b', 0)];

const shown = (keys: readonly SigningKeyRecord[]) =>
  keys.map(({ kid, status, sealedPrivateJwk }) => `${kid} ${status}${sealedPrivateJwk === undefined ? '' : ' sealed'}`);

test('a key signs only after it was published, and when the one before it is old', () => {
  assert.equal(dueStep(start, 'ES256', policy, 999), 'nothing');
  assert.equal(dueStep(start, 'ES256', policy, 1000), 'rotate');
  const late = withNext(start, made('c', 950), 950);
  assert.equal(dueStep(late, 'ES256', policy, 1049), 'nothing');
  assert.equal(dueStep(late, 'ES256', policy, 1050), 'rotate');
  assert.deepEqual([dueAt(start, 'ES256', policy), dueAt(late, 'ES256', policy)], [1000, 1050]);
});

test('another algorithm is published at once and signs as soon as it may', () => {
  assert.equal(dueStep(start, 'EdDSA', policy, 10), 'publish');
  assert.equal(dueAt(start, 'EdDSA', policy), 0);
  const changing = withNext(start, made('c', 10, { algorithm: 'EdDSA' }), 10);
  assert.deepEqual(shown(changing), ['a active sealed', 'c next sealed']);
  assert.equal(dueStep(changing, 'EdDSA', policy, 109), 'nothing');
  assert.equal(dueStep(changing, 'EdDSA', policy, 110), 'rotate');
  assert.equal(dueAt(changing, 'EdDSA', policy), 110);
});

test('a retired key verifies until its last token is over, without its private half; then it is gone', () => {
  const after = rotated(start, made('c', 1000), 1000);
  assert.deepEqual(shown(after), ['a retired', 'b active sealed', 'c next sealed']);
  const end = 1000 + RETIRED_KEPT_MS;
  const quiet = { publishMs: 100, maxAgeMs: 10 * end };
  assert.equal(dueStep(after, 'ES256', quiet, end - 1), 'nothing');
  assert.equal(dueStep(after, 'ES256', quiet, end), 'clean');
  assert.equal(dueAt(after, 'ES256', quiet), end);
  assert.deepEqual(shown(rotated(after, made('d', end), end)), ['b retired', 'c active sealed', 'd next sealed']);
});

test('revoking the signing key lets the next one sign at once; revoking another changes no signer', () => {
  const fresh = made('c', 5);
  assert.deepEqual(shown(withRevoked(start, 'a', fresh, 5)), ['a revoked', 'b active sealed', 'c next sealed']);
  assert.deepEqual(shown(withRevoked(start, 'b', fresh, 5)), ['a active sealed', 'b revoked', 'c next sealed']);
  const after = rotated(start, fresh, 1000);
  assert.deepEqual(shown(withRevoked(after, 'a', made('d', 1001), 1001)), [
    'a revoked',
    'b active sealed',
    'c next sealed',
  ]);
});

test('a set of the time before rotation gets its next key', () => {
  const [first] = start;
  assert.ok(first !== undefined);
  const { activatedAt: _, ...old } = first;
  assert.equal(dueStep([old], 'ES256', policy, 5000), 'publish');
  assert.equal(dueAt([old], 'ES256', policy), 0);
  const published = withNext([old], made('b', 5000), 5000);
  assert.equal(dueStep(published, 'ES256', policy, 5100), 'rotate');
});
