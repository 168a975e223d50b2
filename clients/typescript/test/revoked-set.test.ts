import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type RevocationSchema, WatchRevocationsResponseSchema } from '../gen/v1.js';
import { createRevokedSet } from '../src/revoked-set.ts';

type Revoked = MessageInitShape<typeof RevocationSchema>;

const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 24 * 60 * 60_000;
const expireTime = { seconds: BigInt(NOW / 1000) };

const session = (value: string): Revoked => ({ revoked: { case: 'sessionId', value }, expireTime });
const user = (userId: string, epoch: bigint): Revoked => ({
  revoked: { case: 'user', value: { userId, epoch } },
  expireTime,
});
const token = (more: object = {}) => ({ sessionId: 's', keyId: 'k', userId: 'u', epoch: 3, ...more });

function snapshot(revocations: Revoked[], first = true, last = true) {
  const event = { case: 'snapshot' as const, value: { revocations, first, last } };
  return create(WatchRevocationsResponseSchema, { event }).event;
}

function changes(...revocations: Revoked[]) {
  return create(WatchRevocationsResponseSchema, { event: { case: 'changes', value: { revocations } } }).event;
}

const cases: readonly (readonly [string, Revoked, object, boolean])[] = [
  ['its session', session('s'), {}, true],
  ['another session', session('t'), {}, false],
  ['the API key that is its session', { revoked: { case: 'apiKeyId', value: 's' }, expireTime }, {}, true],
  ['its signing key', { revoked: { case: 'signingKeyId', value: 'k' }, expireTime }, {}, true],
  ['its user up to a later epoch', user('u', 4n), {}, true],
  ['its user up to its own epoch', user('u', 3n), {}, false],
  ['a user of the same id as its service', user('u', 4n), { userId: undefined }, false],
];
for (const [what, revocation, more, expected] of cases) {
  test(`revoking ${what} ${expected ? 'revokes' : 'does not revoke'} a token`, () => {
    const set = createRevokedSet();
    set.take(changes(revocation), NOW);
    assert.equal(set.isRevoked(token(more)), expected);
  });
}

test('an older epoch never takes back a newer one', () => {
  const set = createRevokedSet();
  set.take(changes(user('u', 4n), user('u', 2n)), NOW);
  assert.equal(set.isRevoked(token()), true);
});

test('a snapshot replaces what was known when its last part is there, and not before', () => {
  const set = createRevokedSet();
  set.take(changes(session('s')), NOW);
  set.take(snapshot([session('a')], true, false), NOW);
  assert.deepEqual([set.isRevoked(token()), set.isRevoked(token({ sessionId: 'a' }))], [true, false]);
  set.take(snapshot([session('b')], false, true), NOW);
  const known = ['s', 'a', 'b'].map((sessionId) => set.isRevoked(token({ sessionId })));
  assert.deepEqual(known, [false, true, true]);
});

test('entries go a day after what they revoke has expired', () => {
  const set = createRevokedSet();
  set.take(changes(session('s')), NOW);
  set.take(changes(), NOW + DAY_MS);
  assert.equal(set.size, 1);
  set.take(changes(), NOW + 2 * DAY_MS);
  assert.equal(set.size, 0);
});

test('a revocation of an unknown kind is an error, not nothing', () => {
  assert.throws(() => createRevokedSet().take(changes({ expireTime }), NOW), { message: /of a kind/ });
});
