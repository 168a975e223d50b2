import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Policy, PolicySource } from '../../../src/domain/decision/use-cases.ts';
import { apply, callBy, grantTo, mayRead, POLICY, replicaWorld, write } from '../../support/replica-world.ts';

const IN_FORCE = { tenant: 'default', version: 0 };
const given = (policy: Policy): PolicySource => ({ kind: 'policy', policy });
const LESS = { roles: POLICY.roles.filter(({ name }) => name === 'viewer') };

test('versions count up; the same content again is no new version', async () => {
  const replica = replicaWorld().replica();
  const before = await replica.decisions.getPolicy(callBy(), IN_FORCE);
  assert.deepEqual([before.version, before.policy.roles.length, before.appliedAt], [0, 0, 0]);
  const first = await apply(replica);
  assert.equal(first.version, 1);
  const again = await apply(replica, { roles: POLICY.roles.toReversed() });
  assert.deepEqual([again.version, again.etag], [1, first.etag]);
  const second = await apply(replica, LESS);
  assert.equal(second.version, 2);
  assert.notEqual(second.etag, first.etag);
  const { results: _, ...stored } = second;
  assert.deepEqual(await replica.decisions.getPolicy(callBy(), IN_FORCE), stored);
});

test('of two writers with one etag one wins, on whatever replica', async () => {
  const { replica: open } = replicaWorld();
  const [left, right] = [open(), open()];
  const { etag } = await apply(left);
  const input = { tenant: 'default', etag, dryRun: false };
  const results = await Promise.allSettled([
    left.decisions.applyPolicy(callBy(), { ...input, source: given(LESS) }),
    right.decisions.applyPolicy(callBy(), { ...input, source: given({ roles: [] }) }),
  ]);
  assert.deepEqual(results.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const lost = results.find((result) => result.status === 'rejected');
  assert.equal(lost?.reason.reason, 'PRECONDITION_FAILED');
});

test('the etag of no policy yet is one as well', async () => {
  const replica = replicaWorld().replica();
  const { etag } = await replica.decisions.getPolicy(callBy(), IN_FORCE);
  await replica.decisions.applyPolicy(callBy(), { tenant: 'default', source: given(POLICY), etag, dryRun: false });
  const late = replica.decisions.applyPolicy(callBy(), { tenant: 'default', source: given(LESS), etag, dryRun: false });
  await assert.rejects(late, { reason: 'PRECONDITION_FAILED' });
});

test('a dry run checks everything and changes nothing', async () => {
  const replica = replicaWorld().replica();
  const input = { tenant: 'default', source: given(POLICY), etag: '', dryRun: true };
  const dry = await replica.decisions.applyPolicy(callBy(), input);
  assert.deepEqual([dry.version, dry.etag, dry.appliedAt], [1, '', 0]);
  assert.equal((await replica.decisions.getPolicy(callBy(), IN_FORCE)).version, 0);
  const bad = { roles: [{ name: 'a', permissions: ['x'], inherits: ['b'] }] };
  await assert.rejects(replica.decisions.applyPolicy(callBy(), { ...input, source: given(bad) }), {
    violationCount: 2,
  });
  await assert.rejects(replica.decisions.applyPolicy(callBy(), { ...input, etag: 'x' }), {
    reason: 'PRECONDITION_FAILED',
  });
});

test('a role goes with its allows, which then allow nothing, but not while grants deny by it', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const editor = { kind: 'role', role: 'editor' } as const;
  await write(replica, [grantTo('1', { what: editor })]);
  const [deny = ''] = (await write(replica, [grantTo('2', { what: editor, effect: 'deny' })])).grantIds;
  await assert.rejects(apply(replica, LESS), { reason: 'PRECONDITION_FAILED' });
  await write(replica, [{ kind: 'delete', grantId: deny }]);
  assert.equal(await mayRead(replica, '1'), 'allow GRANTED');
  await apply(replica, LESS);
  assert.equal(await mayRead(replica, '1'), 'deny NO_MATCH');
});
