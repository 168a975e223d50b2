import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markSubject } from '../../../src/domain/decision/mark-subject.ts';
import { apply, callBy, grantTo, POLICY, type Replica, replicaWorld, write } from '../../support/replica-world.ts';

const base = { tenant: 'default', pageSize: 0, pageToken: '', atLeastRevision: '' };
const user = { type: 'user', id: '1' };
const principal = { kind: 'subject', subject: user } as const;

test('lists say what Authorize allows, at the revision of a write, on another replica too', async () => {
  const world = replicaWorld();
  const [writer, reader] = [world.replica(), world.replica()];
  await apply(writer);
  const { revision } = await write(writer, [grantTo('1'), grantTo('2')]);
  const call = callBy();
  const at = { ...base, atLeastRevision: revision };
  const permissions = await reader.decisions.listPermissions(call, { ...at, principal });
  assert(permissions.items.includes('documents:read'));
  assert.equal(permissions.revision, revision);
  const first = await reader.decisions.listSubjects(call, {
    ...at,
    permission: 'documents:read',
    subjectType: '',
    pageSize: 1,
  });
  assert.deepEqual(first.items, [user]);
  const next = { ...at, permission: 'documents:read', subjectType: '', pageToken: first.nextPageToken };
  assert.deepEqual(await writer.decisions.listSubjects(call, next), {
    items: [{ type: 'user', id: '2' }],
    nextPageToken: '',
    complete: true,
    revision,
  });
  const asked = { ...at, principal, permission: 'documents:read', resourceType: 'document' };
  const resources = await reader.decisions.listResources(call, asked);
  assert.deepEqual([resources.items, resources.complete], [[], false]);
});

test('a disabled subject and a refused credential list nothing and say why', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  await write(replica, [grantTo('1')]);
  const token = { kind: 'access_token', token: 'old' } as const;
  replica.principals.set('old', { kind: 'refused', reason: 'CREDENTIAL_EXPIRED', subject: user });
  const refused = await replica.decisions.listPermissions(callBy(), { ...base, principal: token });
  assert.deepEqual([refused.items, refused.refusal], [[], 'CREDENTIAL_EXPIRED']);
  await markSubject(replica.follower, 'default', user, true);
  const disabled = await replica.decisions.listPermissions(callBy(), { ...base, principal });
  assert.deepEqual([disabled.items, disabled.refusal], [[], 'SUBJECT_DISABLED']);
  const who = { ...base, permission: 'documents:read', subjectType: '' };
  assert.deepEqual((await replica.decisions.listSubjects(callBy(), who)).items, []);
});

test('an unknown tenant is an error', async () => {
  const replica = replicaWorld().replica();
  const nowhere = replica.decisions.listPermissions(callBy(), { ...base, principal, tenant: 'nowhere' });
  await assert.rejects(nowhere, { reason: 'TENANT_NOT_FOUND' });
});

const violations = [{ field: 'page_token', description: 'is not the next_page_token of a page of this list' }];
const refusal = { reason: 'INVALID_ARGUMENT', violations };
const [d1, d2, d3] = ['1', '2', '3'].map((id) => ({ type: 'document', id }));

/** Users 1 and 2 may read and write documents 1, 2 and 3, in two tenants. */
async function filledReplica(): Promise<Replica> {
  const replica = replicaWorld().replica();
  for (const tenant of ['default', 'acme']) {
    await apply(replica, POLICY, tenant);
    const what = { kind: 'role', role: 'editor' } as const;
    const changes = ['1', '2'].flatMap((id) => [d1, d2, d3].map((resource) => grantTo(id, { what, resource })));
    await write(replica, changes, { tenant });
  }
  return replica;
}

test('a page token of another tenant or question is refused by its field, in each of the lists', async () => {
  const { decisions } = await filledReplica();
  const other = { kind: 'subject', subject: { type: 'user', id: '2' } } as const;
  const members = { kind: 'subject', subject: { ...user, relation: 'member' } } as const;
  const one = { ...base, pageSize: 1 };
  const lists = [
    {
      list: (input: object) => decisions.listPermissions(callBy(), { ...one, principal, resource: d1, ...input }),
      others: [{ principal: other }, { principal: members }, { resource: d2 }, { resource: undefined }],
    },
    {
      list: (input: object) =>
        decisions.listResources(callBy(), {
          ...one,
          principal,
          permission: 'documents:read',
          resourceType: 'document',
          ...input,
        }),
      others: [
        { principal: other },
        { principal: members },
        { permission: 'documents:write' },
        { resourceType: 'folder' },
      ],
    },
    {
      list: (input: object) =>
        decisions.listSubjects(callBy(), {
          ...one,
          permission: 'documents:read',
          resource: d1,
          subjectType: '',
          ...input,
        }),
      others: [{ permission: 'documents:write' }, { resource: d2 }, { resource: undefined }, { subjectType: 'user' }],
    },
  ];
  const tokens: string[] = [];
  for (const { list, others } of lists) {
    const { items, nextPageToken: pageToken } = await list({});
    tokens.push(pageToken);
    const rest = await list({ pageToken, pageSize: 1000, context: { at: 1 } });
    assert.deepEqual([...items, ...rest.items], (await list({ pageSize: 1000 })).items);
    assert(rest.items.length > 0);
    for (const more of [{ tenant: 'acme' }, ...others]) {
      await assert.rejects(list({ ...more, pageToken }), refusal, JSON.stringify(more));
    }
  }
  for (const [at, { list }] of lists.entries()) {
    const foreign = tokens.filter((_, index) => index !== at);
    for (const pageToken of ['x', 'n1', `${tokens[at]}!`, ...foreign]) {
      await assert.rejects(list({ pageToken }), refusal);
    }
  }
});

test('a walk goes on with another token for the same subject, but not with one of other scopes', async () => {
  const replica = await filledReplica();
  const resolved = { kind: 'resolved', subject: user, expiresAt: undefined } as const;
  const reading = ['documents:read', 'todo:read'];
  replica.principals.set('first', { ...resolved, scopes: reading });
  replica.principals.set('rotated', { ...resolved, scopes: reading.toReversed() });
  replica.principals.set('other', { ...resolved, scopes: ['documents:read'] });
  replica.principals.set('unscoped', { ...resolved, scopes: undefined });
  const list = (token: string, pageToken: string) =>
    replica.decisions.listResources(callBy(), {
      ...base,
      principal: { kind: 'access_token', token },
      permission: 'documents:read',
      resourceType: 'document',
      pageSize: 1,
      pageToken,
    });
  const { nextPageToken } = await list('first', '');
  assert.deepEqual((await list('rotated', nextPageToken)).items, [d2]);
  for (const token of ['other', 'unscoped']) await assert.rejects(list(token, nextPageToken), refusal, token);
});

test('a page may end at the longest name there is', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const longest = (last: string) => ({ type: 't'.repeat(64), id: '界'.repeat(319) + last });
  const subjects = ['一', '丁'].map(longest);
  await write(
    replica,
    subjects.map((subject) => grantTo('', { subject })),
  );
  const asked = { ...base, permission: 'documents:read', subjectType: '', pageSize: 1 };
  const { items, nextPageToken } = await replica.decisions.listSubjects(callBy(), asked);
  const rest = await replica.decisions.listSubjects(callBy(), { ...asked, pageToken: nextPageToken });
  assert.deepEqual([...items, ...rest.items], subjects);
});
