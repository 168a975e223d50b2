import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GrantFilter } from '../../../src/domain/decision/use-cases.ts';
import { apply, callBy, grantTo, mayRead, replicaWorld, write } from '../../support/replica-world.ts';

const REQUEST = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';

async function list(
  replica: ReturnType<ReturnType<typeof replicaWorld>['replica']>,
  filter: GrantFilter = {},
  tenant = 'default',
) {
  const input = { tenant, filter, pageSize: 1000, pageToken: '', atLeastRevision: '' };
  return (await replica.decisions.listGrants(callBy(), input)).grants;
}

test('changes of one write happen together or not at all', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const { grantIds } = await write(replica, [grantTo('1'), grantTo('2')]);
  assert.equal(new Set(grantIds).size, 2);
  await assert.rejects(write(replica, [grantTo('3'), { kind: 'delete', grantId: 'absent' }]), {
    reason: 'GRANT_NOT_FOUND',
  });
  assert.equal(await mayRead(replica, '3'), 'deny NO_MATCH');
  await assert.rejects(write(replica, [grantTo('3'), grantTo('4', { what: { kind: 'role', role: 'boss' } })]), {
    reason: 'INVALID_ARGUMENT',
    violations: [
      {
        field: 'changes[1].put_grant.role',
        description:
          '`boss` is not a role of the policy of tenant `default`, which has viewer, editor; ApplyPolicy adds roles',
      },
    ],
  });
  assert.equal((await list(replica)).length, 2);
});

test('changes are judged in their order, each in the state that those before it leave', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const { grantIds } = await write(replica, [grantTo('1')]);
  const [id = ''] = grantIds;
  const twice = [{ kind: 'delete', grantId: id } as const, { kind: 'delete', grantId: id } as const];
  await assert.rejects(write(replica, twice), { reason: 'GRANT_NOT_FOUND' });
  await assert.rejects(
    write(replica, [{ kind: 'delete_matching', filter: { role: 'viewer' } }, grantTo('2', { id })]),
    {
      reason: 'GRANT_NOT_FOUND',
    },
  );
  await write(replica, twice, { allowMissing: true });
  assert.deepEqual(await list(replica), []);
  await write(replica, [grantTo('5'), { kind: 'delete_matching', filter: { role: 'viewer' } }, grantTo('6')]);
  assert.deepEqual(
    (await list(replica)).map(({ subject }) => subject.id),
    ['6'],
  );
});

test('a put with an id replaces that grant and creates none', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const [id = ''] = (await write(replica, [grantTo('1')])).grantIds;
  assert.deepEqual((await write(replica, [grantTo('1', { id, effect: 'deny' })])).grantIds, [id]);
  assert.equal(await mayRead(replica, '1'), 'deny DENIED_BY_RULE');
  assert.equal((await list(replica)).length, 1);
  await assert.rejects(write(replica, [grantTo('1', { id: 'mine' })]), { reason: 'GRANT_NOT_FOUND' });
});

test('what is not served yet, or over a limit, is refused with its place', async () => {
  const { replica: open, clock } = replicaWorld();
  const replica = open();
  await apply(replica);
  const fields = async (changes: Parameters<typeof write>[1]): Promise<readonly string[]> => {
    const error = await write(replica, changes).then(
      () => assert.fail('was accepted'),
      (thrown) => thrown,
    );
    return error.violations.map(({ field }: { field: string }) => field);
  };
  const group = { type: 'group', id: 'eng', relation: 'member' };
  assert.deepEqual(await fields([grantTo('1', { subject: group })]), ['changes[0].put_grant.subject.relation']);
  assert.deepEqual(await fields([grantTo('1', { what: { kind: 'permission', permission: 'a b' } })]), [
    'changes[0].put_grant.permission',
  ]);
  assert.deepEqual(await fields([grantTo('1', { expiresAt: clock.now() })]), ['changes[0].put_grant.expire_time']);
  assert.deepEqual(await fields([grantTo('x'.repeat(321))]), ['changes[0].put_grant.subject.id']);
  assert.deepEqual(await fields([{ kind: 'delete_matching', filter: {} }]), ['changes[0].delete_grants']);
  assert.deepEqual(await fields([]), ['changes']);
  assert.deepEqual(await fields(Array.from({ length: 1001 }, () => grantTo('1'))), ['changes']);
  assert.equal(
    (
      await write(
        replica,
        Array.from({ length: 1000 }, () => grantTo('1')),
      )
    ).grantIds.length,
    1000,
  );
});

test('preconditions hold at the moment of the write', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const filter = { subject: { type: 'user', id: '1' } };
  const wanted = { preconditions: [{ kind: 'must_not_match', filter } as const] };
  // Both are judged when their turn comes, so the second sees the first.
  const [first, second] = await Promise.allSettled([
    write(replica, [grantTo('1')], wanted),
    write(replica, [grantTo('1')], wanted),
  ]);
  assert.equal(first.status, 'fulfilled');
  assert(second.status === 'rejected');
  assert.equal(second.reason.reason, 'PRECONDITION_FAILED');
  const held = { kind: 'must_match', filter } as const;
  await assert.rejects(
    write(replica, [grantTo('2')], { preconditions: [held, { kind: 'must_match', filter: { role: 'editor' } }] }),
    {
      reason: 'PRECONDITION_FAILED',
      message: 'preconditions[1]: must_match does not hold; nothing was written',
    },
  );
  const { revision } = await write(replica, [grantTo('2')], { preconditions: [held] });
  const unchanged = { preconditions: [{ kind: 'revision_unchanged', revision } as const] };
  await write(replica, [grantTo('3')], unchanged);
  await assert.rejects(write(replica, [grantTo('4')], unchanged), { reason: 'PRECONDITION_FAILED' });
});

test('a request id repeated within 24 h gives the same ids and revision on every replica; another body is refused', async () => {
  const { replica: open, clock } = replicaWorld();
  const [first, second] = [open(), open()];
  await apply(first);
  const changes = [grantTo('1'), { kind: 'delete_matching', filter: { role: 'editor' } } as const, grantTo('2')];
  const wrote = await write(first, changes, { requestId: REQUEST });
  assert.equal(wrote.grantIds.length, 2);
  await write(first, [grantTo('3')]);
  for (const replica of [first, second]) {
    assert.deepEqual(await write(replica, changes, { requestId: REQUEST }), wrote);
    await assert.rejects(write(replica, [grantTo('1')], { requestId: REQUEST }), { reason: 'REQUEST_ID_REUSED' });
  }
  assert.equal((await list(first)).length, 3);
  const others = await write(first, changes, { requestId: REQUEST }, callBy('service:other'));
  assert.notDeepEqual(others.grantIds, wrote.grantIds, 'a request id belongs to its caller');
  clock.advance(24 * 3_600_000 + 1);
  await first.follower.poll();
  const later = await write(first, changes, { requestId: REQUEST });
  assert.notDeepEqual(later.grantIds, wrote.grantIds, 'no id is used again');
});

test('64 parallel writes with one request id are one write', async () => {
  const { replica: open } = replicaWorld();
  const replicas = [open(), open()];
  const [first] = replicas;
  if (first === undefined) return;
  await apply(first);
  const writes = Array.from({ length: 64 }, (_, index) =>
    write(replicas[index % 2] ?? first, [grantTo('1')], { requestId: REQUEST }),
  );
  const results = await Promise.all(writes);
  assert.equal(new Set(results.map((result) => JSON.stringify(result))).size, 1);
  assert.equal((await list(first)).length, 1);
});

test('an unknown tenant is TENANT_NOT_FOUND', async () => {
  const replica = replicaWorld().replica();
  await assert.rejects(write(replica, [grantTo('1')], { tenant: 'nowhere' }), { reason: 'TENANT_NOT_FOUND' });
});

const SELF = { type: 'tenant', id: 'sallyport' };
const ADMIN = { what: { kind: 'role', role: 'admin' }, resource: SELF } as const;

test('tenant sallyport keeps its last admin, however the write goes about it', async () => {
  const { replica: open, clock } = replicaWorld();
  const replica = open();
  const system = { tenant: 'sallyport' };
  const [id = ''] = (await write(replica, [grantTo('boss', ADMIN)], system)).grantIds;
  const refused = { reason: 'RESERVED_TENANT' };
  const everything = { what: { kind: 'permission', permission: '*' }, effect: 'deny' } as const;
  await assert.rejects(write(replica, [{ kind: 'delete', grantId: id }], system), refused);
  await assert.rejects(write(replica, [{ kind: 'delete_matching', filter: { role: 'admin' } }], system), refused);
  await assert.rejects(write(replica, [grantTo('boss', { ...ADMIN, id, effect: 'deny' })], system), refused);
  await assert.rejects(
    write(replica, [grantTo('boss', { ...ADMIN, id, expiresAt: clock.now() + 1000 })], system),
    refused,
  );
  await assert.rejects(
    write(replica, [grantTo('boss', { ...ADMIN, id, resource: { type: 'tenant', id: 'x' } })], system),
    refused,
  );
  await assert.rejects(write(replica, [grantTo('boss', everything)], system), refused);
  await assert.rejects(write(replica, [grantTo('boss', { ...everything, resource: SELF })], system), refused);
  await assert.rejects(
    write(replica, [grantTo('next', ADMIN), grantTo('next', everything), { kind: 'delete', grantId: id }], system),
    refused,
  );
  await write(replica, [grantTo('other', everything)], system);
  await write(replica, [{ kind: 'delete', grantId: id }, grantTo('next', ADMIN)], system);
  assert.deepEqual(
    (await list(replica, { role: 'admin' }, 'sallyport')).map(({ subject }) => subject.id),
    ['next'],
  );
});

test('tenant sallyport has the compiled-in roles and takes no policy', async () => {
  const replica = replicaWorld().replica();
  await assert.rejects(apply(replica, { roles: [] }, 'sallyport'), { reason: 'RESERVED_TENANT' });
  await assert.rejects(write(replica, [grantTo('1')], { tenant: 'sallyport' }), { reason: 'INVALID_ARGUMENT' });
  const { policy, version } = await replica.decisions.getPolicy(callBy(), { tenant: 'sallyport', version: 0 });
  assert.equal(version, 0);
  assert(policy.roles.some(({ name }) => name === 'admin'));
});
