import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markSubject } from '../../../src/domain/decision/mark-subject.ts';
import type { PrincipalInput, ResolvedPrincipal } from '../../../src/domain/decision/use-cases.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { apply, callBy, grantTo, mayRead, replicaWorld, write } from '../../support/replica-world.ts';

const user = (id: string): PrincipalInput => ({ kind: 'subject', subject: { type: 'user', id } });
const base = { tenant: 'default', permission: 'documents:read', atLeastRevision: '', explain: false };

test('a warm decision is no promise', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  await write(replica, [grantTo('1')]);
  const token: ResolvedPrincipal = {
    kind: 'resolved',
    subject: { type: 'user', id: '1' },
    scopes: ['documents:*'],
    expiresAt: 9e12,
  };
  replica.principals.set('token', token);
  for (const principal of [user('1'), { kind: 'access_token', token: 'token' } as const]) {
    const outcome = replica.decisions.authorize(callBy(), { ...base, principal });
    assert(!(outcome instanceof Promise));
    assert.equal(outcome.decision.effect, 'allow');
  }
  const items = [{ kind: 'question', question: { principal: user('1'), permission: 'documents:read' } } as const];
  assert(
    !(replica.decisions.batchAuthorize(callBy(), { tenant: 'default', atLeastRevision: '', items }) instanceof Promise),
  );
});

test('an unknown tenant is a denial, and an empty one denies everything', async () => {
  const replica = replicaWorld().replica();
  const { decision, revision } = await replica.decisions.authorize(callBy(), {
    ...base,
    tenant: 'nowhere',
    principal: user('1'),
  });
  assert.deepEqual([decision.effect, decision.reason, revision], ['deny', 'UNKNOWN_TENANT', '']);
  assert.equal(await mayRead(replica, '1', 'acme'), 'deny UNKNOWN_PERMISSION');
});

test('a refused credential is a denial with its reason, and a scope narrows', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  await write(replica, [grantTo('1')]);
  const subject = { type: 'user', id: '1' };
  replica.principals.set('old', { kind: 'refused', reason: 'CREDENTIAL_EXPIRED', subject });
  replica.principals.set('narrow', { kind: 'resolved', subject, scopes: ['invoices:*'], expiresAt: undefined });
  replica.principals.set('cold', Promise.resolve({ kind: 'resolved', subject, scopes: undefined, expiresAt: 2e12 }));
  const reasonOf = async (token: string) => {
    const principal = { kind: 'access_token', token } as const;
    return (await replica.decisions.authorize(callBy(), { ...base, principal })).decision;
  };
  assert.deepEqual(await reasonOf('forged'), { effect: 'deny', reason: 'CREDENTIAL_INVALID' });
  assert.deepEqual(await reasonOf('old'), { effect: 'deny', reason: 'CREDENTIAL_EXPIRED', subject });
  assert.equal((await reasonOf('narrow')).reason, 'OUT_OF_SCOPE');
  const cold = await reasonOf('cold');
  assert.deepEqual([cold.effect, cold.expiresAt], ['allow', 2e12]);
});

test('a decision after a slow credential sees the state of then', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const [id = ''] = (await write(replica, [grantTo('1')])).grantIds;
  const { promise, resolve } = Promise.withResolvers<ResolvedPrincipal>();
  replica.principals.set('slow', promise);
  const pending = replica.decisions.authorize(callBy(), { ...base, principal: { kind: 'api_key', key: 'slow' } });
  const { revision } = await write(replica, [{ kind: 'delete', grantId: id }]);
  resolve({ kind: 'resolved', subject: { type: 'user', id: '1' }, scopes: undefined, expiresAt: undefined });
  const outcome = await pending;
  assert.deepEqual([outcome.decision.effect, outcome.revision], ['deny', revision]);
});

test('a disabled subject is denied however it is named; marking it again writes nothing', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  await write(replica, [grantTo('1')]);
  const subject = { type: 'user', id: '1' };
  await markSubject(replica.follower, 'default', subject, true);
  const marked = replica.follower.peek('default')?.index.revision;
  await markSubject(replica.follower, 'default', subject, true);
  assert.equal(replica.follower.peek('default')?.index.revision, marked);
  assert.equal(await mayRead(replica, '1'), 'deny SUBJECT_DISABLED');
  await markSubject(replica.follower, 'default', subject, false);
  assert.equal(await mayRead(replica, '1'), 'allow GRANTED');
});

test('at_least_revision waits for that state, and refuses what is none', async () => {
  const { replica: open } = replicaWorld();
  const [writer, reader] = [open(), open()];
  await apply(writer);
  assert.equal(await mayRead(reader, '1'), 'deny NO_MATCH');
  const { revision } = await write(writer, [grantTo('1')]);
  assert.equal(await mayRead(reader, '1'), 'deny NO_MATCH', 'without it: what is in memory');
  assert.equal(await mayRead(reader, '1', 'default', revision), 'allow GRANTED');
  await assert.rejects(mayRead(reader, '1', 'default', 'nonsense'), { reason: 'INVALID_ARGUMENT' });
  await assert.rejects(mayRead(reader, '1', 'acme', revision), { reason: 'REVISION_UNKNOWN' });
  const future = revision.replace(/[^.]+$/, 'zz');
  await assert.rejects(mayRead(reader, '1', 'default', future), { code: 'UNAVAILABLE' });
  const [tenant, , number] = revision.split('.');
  await assert.rejects(mayRead(reader, '1', 'default', `${tenant}.AAAAAAAA.${number}`), { reason: 'REVISION_UNKNOWN' });
});

test('a batch is decided at one revision; a bad item has its own error and is no allow', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  await write(replica, [grantTo('1')]);
  replica.principals.set('out', Promise.reject(new Fault('UNAVAILABLE', 'the store does not answer')));
  const question = (principal: PrincipalInput, permission = 'documents:read') =>
    ({ kind: 'question', question: { principal, permission } }) as const;
  const outcome = await replica.decisions.batchAuthorize(callBy(), {
    tenant: 'default',
    atLeastRevision: '',
    items: [
      question(user('1')),
      { kind: 'invalid', description: 'permission: must not hold spaces' },
      question({ kind: 'api_key', key: 'out' }),
      question(user('2')),
      question(user('1'), 'documents:write'),
    ],
  });
  assert.deepEqual(
    outcome.answers.map((answer) => (answer.kind === 'error' ? answer.reason : answer.decision.reason)),
    ['GRANTED', 'INVALID_ARGUMENT', 'UNAVAILABLE', 'NO_MATCH', 'NO_MATCH'],
  );
  assert.equal(outcome.revision, replica.follower.peek('default')?.revisionToken());
});

test('a batch in an unknown tenant denies each item', async () => {
  const replica = replicaWorld().replica();
  const items = [{ kind: 'question', question: { principal: user('1'), permission: 'a:b' } } as const];
  const outcome = await replica.decisions.batchAuthorize(callBy(), { tenant: 'nowhere', atLeastRevision: '', items });
  assert.deepEqual(outcome.answers, [{ kind: 'decision', decision: { effect: 'deny', reason: 'UNKNOWN_TENANT' } }]);
});

test('an explanation comes when asked for, also for a refused credential', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const refused = { ...base, explain: true, principal: { kind: 'api_key', key: 'forged' } as const };
  assert.deepEqual((await replica.decisions.authorize(callBy(), refused)).explanation, [
    'the credential is refused: CREDENTIAL_INVALID',
  ]);
  const outcome = await replica.decisions.authorize(callBy(), { ...base, explain: true, principal: user('1') });
  assert.deepEqual(outcome.explanation, [
    'user:1 holds no grant',
    'to allow it, grant user:1 a role or permission that includes documents:read',
  ]);
});
