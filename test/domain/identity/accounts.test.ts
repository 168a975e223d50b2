import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIT_EFFECT } from '../../../src/domain/audit/audit-event.ts';
import { MARK_USER_EFFECT } from '../../../src/domain/identity/user-effects.ts';
import { call, memoryWorld, sqliteWorld } from './identity-world.ts';

const tenant = 'default';
const email = (value: string, verified = false) => ({ kind: 'email', value, verified }) as const;

test('of two updates with one etag, on two replicas, one wins and the other is told', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const update = (displayName: string) => ({ tenant, userId: user.id, etag: user.version, displayName });
  const results = await Promise.allSettled([
    world.identity.updateUser(call, update('A')),
    world.replica().updateUser(call, update('B')),
  ]);
  const lost = results.filter((each) => each.status === 'rejected');
  assert.equal(lost.length, 1);
  assert.equal(lost[0]?.reason.reason, 'PRECONDITION_FAILED');
});

test('an identifier that another user holds stays with that user, and nothing of the update happens', async () => {
  await using world = await sqliteWorld();
  const ada = await world.user();
  await world.user('bob@example.com');
  const input = { tenant, userId: ada.id, etag: '', displayName: 'x', identifiers: [email('BOB@example.com')] };
  await assert.rejects(world.identity.updateUser(call, input), { reason: 'IDENTIFIER_TAKEN' });
  assert.equal((await world.stored(ada.id)).displayName, undefined);
});

test('a verified identifier stays verified when it is kept, and nobody can claim the mark', async () => {
  await using world = await memoryWorld();
  const ada = await world.user();
  const users = world.store.collection<typeof ada>('users');
  const stored = await world.stored(ada.id);
  await users.replace({ ...stored, identifiers: [email('ada@example.com', true)] }, stored.version);
  const update = (identifiers: readonly ReturnType<typeof email>[]) =>
    world.identity.updateUser(call, { tenant, userId: ada.id, etag: '', identifiers });
  const kept = await update([email('ada@example.com'), email('ada@example.org')]);
  assert.deepEqual(
    kept.identifiers.map(({ value, verified }) => [value, verified]),
    [
      ['ada@example.com', true],
      ['ada@example.org', false],
    ],
  );
  await assert.rejects(update([email('ada@example.net', true)]), /identifiers\.identifiers\[0\]\.verified/);
});

test('disabling bumps the epoch and records what must follow, in the same write', async () => {
  await using world = await memoryWorld();
  const ada = await world.user();
  await world.identity.updateUser(call, { tenant, userId: ada.id, etag: '', disabled: true });
  const stored = await world.stored(ada.id);
  assert.equal(stored.status, 'disabled');
  assert.equal(stored.epoch, ada.epoch + 1);
  assert.deepEqual(
    stored.outbox?.map(({ kind }) => kind),
    [MARK_USER_EFFECT, AUDIT_EFFECT],
    'this world performs revocations only, so the mark is still recorded',
  );
  const again = await world.identity.updateUser(call, { tenant, userId: ada.id, etag: '', disabled: true });
  assert.equal(again.epoch, stored.epoch, 'nothing changed');
});

test('a deleted user is gone at once, its identifiers are free, and nothing personal is in what waits for the rest', async () => {
  await using world = await memoryWorld();
  const ada = await world.userWithTotp();
  await world.identity.deleteUser(call, tenant, ada.user.id, '');
  await assert.rejects(world.identity.getUser(call, tenant, { kind: 'id', userId: ada.user.id }), {
    reason: 'USER_NOT_FOUND',
  });
  assert.deepEqual(await world.identity.listUsers(call, tenant, { size: 10, token: '' }), {
    users: [],
    nextPageToken: '',
  });
  const left = await world.stored(ada.user.id);
  assert.deepEqual(Object.keys(left).sort(), [
    'createdAt',
    'epoch',
    'id',
    'identifiers',
    'keys',
    'outbox',
    'recoveryCodes',
    'schema',
    'status',
    'tenant',
    'updatedAt',
    'version',
  ]);
  assert.deepEqual([left.identifiers, left.keys, left.recoveryCodes], [[], [ada.user.id], []]);
  await world.user();
});

test('a delete with an etag that is not the newest erases nothing', async () => {
  await using world = await memoryWorld();
  const ada = await world.user();
  await world.identity.updateUser(call, { tenant, userId: ada.id, etag: '', displayName: 'Ada' });
  await assert.rejects(world.identity.deleteUser(call, tenant, ada.id, ada.version), {
    reason: 'PRECONDITION_FAILED',
  });
  assert.equal((await world.stored(ada.id)).status, 'active');
});
