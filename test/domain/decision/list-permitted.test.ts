import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markSubject } from '../../../src/domain/decision/mark-subject.ts';
import { apply, callBy, grantTo, replicaWorld, write } from '../../support/replica-world.ts';

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

test('an unknown tenant is an error, and so is a page token of another list', async () => {
  const replica = replicaWorld().replica();
  const list = (more: object) => replica.decisions.listPermissions(callBy(), { ...base, principal, ...more });
  await assert.rejects(list({ tenant: 'nowhere' }), { reason: 'TENANT_NOT_FOUND' });
  await assert.rejects(list({ pageToken: 'g1' }), { reason: 'INVALID_ARGUMENT' });
});
