import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import { encodePolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import { MAX_VERSION_CHARS, MAX_VERSIONS_KEPT } from '../../../src/domain/decision/policy-versions.ts';
import type { Policy } from '../../../src/domain/decision/use-cases.ts';
import { pageTokenOf } from '../../../src/domain/page-token.ts';
import { apply, callBy, grantTo, mayRead, POLICY, replicaWorld, write } from '../../support/replica-world.ts';

const tenant = 'default';
const roleNamed = (name: string, permissions = ['a:b']): Policy => ({ roles: [{ name, permissions, inherits: [] }] });

function indexWith(policies: readonly Policy[]) {
  const index = createDecisionIndex(tenant, { roles: [] });
  for (const [at, policy] of policies.entries()) {
    const version = at + 1;
    const body = encodePolicyEntry({ kind: 'policy', author: 'service:a', version, policy, comment: `${version}` });
    index.apply({ revision: version, at: 10 * version, body });
  }
  return index;
}

test('each version is listed with who, when and why, newest first, and says what it said', async () => {
  const { replica: open, clock } = replicaWorld();
  const replica = open();
  const input = { tenant, etag: '', dryRun: false };
  const first = await apply(replica);
  clock.advance(1000);
  const source = { kind: 'policy', policy: roleNamed('other') } as const;
  const second = await replica.decisions.applyPolicy(callBy('service:ci'), { ...input, source, comment: 'why' });
  await replica.decisions.applyPolicy(callBy('service:ci'), { ...input, source, comment: 'no new version' });
  for (const each of [replica, open()]) {
    const { versions, nextPageToken, revision } = await each.decisions.listPolicyVersions(callBy(), {
      tenant,
      pageSize: 10,
      pageToken: '',
    });
    assert.deepEqual(
      versions.map(({ version, author, comment, etag, appliedAt }) => [version, author, comment, etag, appliedAt]),
      [
        [2, 'service:ci', 'why', second.etag, second.appliedAt],
        [1, 'service:admin', '', first.etag, first.appliedAt],
      ],
    );
    assert.equal(second.appliedAt, first.appliedAt + 1000);
    assert.deepEqual([nextPageToken, revision], ['', second.revision]);
    const read = await each.decisions.getPolicy(callBy(), { tenant, version: 1 });
    assert.deepEqual(read.policy, POLICY);
    assert.deepEqual([read.version, read.etag, read.author], [1, first.etag, 'service:admin']);
  }
});

test('pages of versions neither skip nor repeat one, whatever is applied meanwhile', async () => {
  const replica = replicaWorld().replica();
  for (let at = 1; at <= 5; at += 1) await apply(replica, roleNamed(`role-${at}`));
  const seen: number[] = [];
  for (let pageToken = ''; ; ) {
    const page = await replica.decisions.listPolicyVersions(callBy(), { tenant, pageSize: 2, pageToken });
    seen.push(...page.versions.map(({ version }) => version));
    pageToken = page.nextPageToken;
    if (pageToken === '') break;
    await apply(replica, roleNamed(`later-${seen.length}`));
  }
  assert.deepEqual(seen, [5, 4, 3, 2, 1]);
});

test('a page token that no page of the versions of this tenant gave is refused by its field', async () => {
  const replica = replicaWorld().replica();
  for (const each of [tenant, 'acme']) {
    for (let at = 1; at <= 3; at += 1) await apply(replica, roleNamed(`role-${at}`), each);
  }
  const list = (of: string, pageToken: string) =>
    replica.decisions.listPolicyVersions(callBy(), { tenant: of, pageSize: 2, pageToken });
  const { nextPageToken } = await list(tenant, '');
  assert.equal((await list(tenant, nextPageToken)).versions.length, 1);
  const forged = ['-1', '1x', '12345678901'].map((place) => pageTokenOf(place, ['policyVersions', tenant]));
  const violations = [{ field: 'page_token', description: 'is not the next_page_token of a page of this list' }];
  for (const token of ['x', 'v1', ...forged]) {
    await assert.rejects(list(tenant, token), { reason: 'INVALID_ARGUMENT', violations }, token);
  }
  await assert.rejects(list('acme', nextPageToken), { reason: 'INVALID_ARGUMENT', violations });
});

test('an earlier version comes back in force as a new one, and only on the policy whose etag is given', async () => {
  const replica = replicaWorld().replica();
  const first = await apply(replica);
  await write(replica, [grantTo('1')]);
  const second = await apply(replica, roleNamed('other'));
  assert.equal(await mayRead(replica, '1'), 'deny UNKNOWN_PERMISSION');
  const back = { tenant, source: { kind: 'version', version: 1 }, dryRun: false } as const;
  const late = replica.decisions.applyPolicy(callBy(), { ...back, etag: first.etag });
  await assert.rejects(late, { reason: 'PRECONDITION_FAILED' });
  const third = await replica.decisions.applyPolicy(callBy(), { ...back, etag: second.etag, comment: 'back' });
  assert.deepEqual([third.version, third.policy, third.comment], [3, POLICY, 'back']);
  assert.notEqual(third.etag, first.etag);
  assert.equal(await mayRead(replica, '1'), 'allow GRANTED');
  const absent = { ...back, source: { kind: 'version', version: 7 } as const, etag: '' };
  await assert.rejects(replica.decisions.applyPolicy(callBy(), absent), { reason: 'POLICY_NOT_FOUND' });
  await assert.rejects(replica.decisions.getPolicy(callBy(), { tenant, version: 7 }), { reason: 'POLICY_NOT_FOUND' });
});

test('the last 1,000 versions are kept, and less of large ones, but always that in force', () => {
  const many = indexWith(Array.from({ length: MAX_VERSIONS_KEPT + 3 }, (_, at) => roleNamed(`role-${at}`)));
  assert.equal(many.policyVersion(3), undefined);
  assert.deepEqual(many.policyVersion(4)?.policy, roleNamed('role-3'));
  const permissions = Array.from({ length: 1000 }, (_, at) => `${'x'.repeat(240)}:${at}`);
  const chars = JSON.stringify(permissions).length;
  const fitting = Math.floor(MAX_VERSION_CHARS / (chars + 100));
  const large = indexWith(Array.from({ length: fitting + 3 }, (_, at) => roleNamed(`r${at}`, permissions)));
  assert.equal(large.policyVersions(Number.POSITIVE_INFINITY, 1000).length, fitting);
  assert.equal(large.policyVersion(3), undefined);
  assert.deepEqual(large.policyVersion(4)?.policy, roleNamed('r3', permissions));
});

test('a snapshot brings every version with it, and one of before there were any its policy', () => {
  const index = indexWith([roleNamed('a'), roleNamed('b'), roleNamed('c')]);
  const restored = createDecisionIndex(tenant, { roles: [] });
  for (const chunk of index.snapshot()) restored.restore(chunk);
  restored.restored(3);
  const all = [Number.POSITIVE_INFINITY, 1000] as const;
  assert.deepEqual(restored.policyVersions(...all), index.policyVersions(...all));
  for (const version of [1, 2, 3]) assert.deepEqual(restored.policyVersion(version), index.policyVersion(version));
  assert.deepEqual(restored.policy, index.policy);
  const old = createDecisionIndex(tenant, { roles: [] });
  const roles = [{ name: 'a', permissions: ['a:b'], inherits: [] }];
  old.restore(JSON.stringify([['policy', { roles }, 7, 9, 100]]));
  old.restored(9);
  const { etag: _, ...policy } = old.policy;
  assert.deepEqual(policy, { policy: { roles }, version: 7, revision: 9, appliedAt: 100, author: '', comment: '' });
  for (const row of [
    ['policy', { roles }, 7, 9],
    ['policy', { roles }, 7, 9, 100, 'a', 'b', 'c'],
    ['version', { roles }, 7, 9, 100, 'a', 'b'],
  ]) {
    assert.throws(() => old.restore(JSON.stringify([row])), { name: 'UnreadableEntryError' }, JSON.stringify(row));
  }
});
