import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GrantFilter } from '../../../src/domain/decision/use-cases.ts';
import { pageTokenOf } from '../../../src/domain/page-token.ts';
import { apply, callBy, grantTo, POLICY, type Replica, replicaWorld, write } from '../../support/replica-world.ts';

function page(replica: Replica, filter: GrantFilter, pageSize: number, pageToken: string) {
  return replica.decisions.listGrants(callBy(), {
    tenant: 'default',
    filter,
    pageSize,
    pageToken,
    atLeastRevision: '',
  });
}

test('a walk shows each grant that lives throughout exactly once, on changing replicas, while others write', async () => {
  const { replica: open } = replicaWorld();
  const replicas = [open(), open()];
  const [first, second] = replicas;
  if (first === undefined || second === undefined) return;
  await apply(first);
  const { grantIds } = await write(
    first,
    Array.from({ length: 25 }, (_, index) => grantTo(`${index}`)),
  );
  const seen: string[] = [];
  let token = '';
  for (let round = 0; round === 0 || token !== ''; round += 1) {
    const replica = round % 2 === 0 ? first : second;
    await replica.follower.poll();
    const { grants, nextPageToken } = await page(replica, {}, 3, token);
    seen.push(...grants.map(({ id }) => id));
    token = nextPageToken;
    // One that was seen goes, one that was not is replaced, a new one comes.
    const gone = grantIds[round] ?? '';
    const kept = grantIds[24 - round] ?? '';
    await write(first, [
      { kind: 'delete', grantId: gone },
      grantTo('x', { id: kept }),
      ...(round < 5 ? [grantTo('new')] : []),
    ]);
  }
  const stayed = grantIds.filter((id) => seen.includes(id));
  assert.equal(new Set(seen).size, seen.length, 'no repeats');
  assert.deepEqual(stayed, grantIds, 'no gaps');
});

test('filters select by subject, role and resource; expired grants are left out', async () => {
  const { replica: open, clock } = replicaWorld();
  const replica = open();
  await apply(replica);
  const resource = { type: 'document', id: '42' };
  await write(replica, [
    grantTo('1'),
    grantTo('1', { resource }),
    grantTo('2', { resource, what: { kind: 'role', role: 'editor' } }),
    grantTo('2', { expiresAt: clock.now() + 1000 }),
    grantTo('2', { what: { kind: 'permission', permission: 'viewer:x' } }),
  ]);
  const count = async (filter: GrantFilter) => (await page(replica, filter, 0, '')).grants.length;
  const subject = { type: 'user', id: '2' };
  assert.equal(await count({}), 5);
  assert.equal(await count({ subject }), 3);
  assert.equal(await count({ role: 'viewer' }), 3);
  assert.equal(await count({ resource }), 2);
  assert.equal(await count({ subject, role: 'editor', resource }), 1);
  assert.equal(await count({ subject: { ...subject, relation: 'member' } }), 0);
  clock.advance(1000);
  await replica.follower.poll();
  assert.equal(await count({ subject }), 2);
});

test('a page token that no page gave, or one of another tenant or filter, is refused by its field', async () => {
  const replica = replicaWorld().replica();
  const list = (tenant: string, filter: GrantFilter, pageToken: string) =>
    replica.decisions.listGrants(callBy(), { tenant, filter, pageSize: 1, pageToken, atLeastRevision: '' });
  for (const tenant of ['default', 'acme']) {
    await apply(replica, POLICY, tenant);
    await write(replica, [grantTo('1'), grantTo('2')], { tenant });
  }
  const { nextPageToken } = await list('default', { role: 'viewer' }, '');
  assert.equal((await list('default', { role: 'viewer' }, nextPageToken)).grants.length, 1);
  const scope = ['grants', 'default', '', '', '', '', '', 'viewer'];
  const forged = ['-1', 'Z', 'zzzzzzzzzzz', '1.5', 'NaN'].map((place) => pageTokenOf(place, scope));
  const refused: [string, GrantFilter, string][] = [
    ...['x', 'g1', ...forged].map((token): [string, GrantFilter, string] => ['default', { role: 'viewer' }, token]),
    ['acme', { role: 'viewer' }, nextPageToken],
    ['default', {}, nextPageToken],
    ['default', { subject: { type: 'user', id: '1' }, role: 'viewer' }, nextPageToken],
  ];
  const violations = [{ field: 'page_token', description: 'is not the next_page_token of a page of this list' }];
  for (const each of refused) {
    await assert.rejects(list(...each), { reason: 'INVALID_ARGUMENT', violations }, JSON.stringify(each));
  }
});
