import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import type { DecisionIndex, DecisionQuestion } from '../../../src/domain/decision/decision-index.ts';
import { encodePolicyEntry, type PolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import type { Grant, Policy } from '../../../src/domain/decision/use-cases.ts';

// The rows of the fail-closed table (architecture.md) that there are without conditions.

const NOW = 1_000_000;

const POLICY: Policy = {
  roles: [
    { name: 'viewer', permissions: ['documents:read'], inherits: [] },
    { name: 'editor', permissions: ['documents:write'], inherits: ['viewer'] },
    { name: 'owner', permissions: ['documents:*'], inherits: [] },
  ],
};

function indexOf(grants: readonly Grant[], more: readonly PolicyEntry[] = [], tenant = 'default'): DecisionIndex {
  const index = createDecisionIndex(tenant, POLICY);
  const puts = grants.map((grant) => ({ kind: 'put', grant }) as const);
  const entries: readonly PolicyEntry[] = [
    { kind: 'policy', author: 'a', version: 1, policy: POLICY },
    { kind: 'grants', author: 'a', changes: puts },
    ...more,
  ];
  for (const [at, entry] of entries.entries()) index.apply({ revision: at + 1, at, body: encodePolicyEntry(entry) });
  return index;
}

function grant(id: string, more: Partial<Grant> = {}): Grant {
  const what = { kind: 'role', role: 'viewer' } as const;
  return { id, subject: { type: 'user', id: '7' }, what, effect: 'allow', ...more };
}

function ask(index: DecisionIndex, more: Partial<DecisionQuestion> = {}) {
  return index.decide({ subject: { type: 'user', id: '7' }, permission: 'documents:read', ...more }, NOW);
}

const document42 = { type: 'document', id: '42' };

test('a role allows what it and the roles it inherits name', () => {
  const index = indexOf([grant('g', { what: { kind: 'role', role: 'editor' } })]);
  assert.deepEqual(ask(index), {
    effect: 'allow',
    reason: 'GRANTED',
    subject: { type: 'user', id: '7' },
    grantIds: ['g'],
  });
  assert.equal(ask(index, { permission: 'documents:write' }).reason, 'GRANTED');
  assert.equal(ask(index, { permission: 'documents:delete' }).reason, 'NO_MATCH');
});

test('nothing that matches, an unknown subject, an unknown resource: NO_MATCH', () => {
  const index = indexOf([grant('g', { resource: document42 })]);
  assert.equal(ask(index, { resource: document42 }).reason, 'GRANTED');
  for (const more of [
    {},
    { resource: { type: 'document', id: '43' } },
    { resource: { type: 'folder', id: '42' } },
    { resource: document42, subject: { type: 'user', id: '8' } },
    { resource: document42, subject: { type: 'service', id: '7' } },
    { resource: document42, subject: { type: 'user', id: '7', relation: 'member' } },
  ]) {
    const { effect, reason } = ask(index, more);
    assert.deepEqual({ effect, reason }, { effect: 'deny', reason: 'NO_MATCH' });
  }
});

test('a permission that no role and no grant names is UNKNOWN_PERMISSION, until one does', () => {
  const index = indexOf([]);
  assert.equal(ask(index, { permission: 'documents:read' }).reason, 'NO_MATCH');
  assert.equal(ask(index, { permission: 'invoices:read' }).reason, 'UNKNOWN_PERMISSION');
  const what = { kind: 'permission', permission: 'invoices:*' } as const;
  const named = indexOf([grant('g', { what, subject: { type: 'user', id: 'other' } })]);
  assert.equal(ask(named, { permission: 'invoices:read' }).reason, 'NO_MATCH');
});

test('a deny wins over every allow, on the resource and on the whole tenant', () => {
  const deny = { effect: 'deny', what: { kind: 'permission', permission: 'documents:*' } } as const;
  const onResource = indexOf([grant('a'), grant('b', { ...deny, resource: document42 })]);
  const denied = ask(onResource, { resource: document42 });
  assert.deepEqual([denied.effect, denied.reason, denied.grantIds], ['deny', 'DENIED_BY_RULE', ['b']]);
  assert.equal(ask(onResource).reason, 'GRANTED');
  const onTenant = indexOf([grant('a', { resource: document42 }), grant('b', deny)]);
  assert.equal(ask(onTenant, { resource: document42 }).reason, 'DENIED_BY_RULE');
});

test('a role that the policy lacks allows nothing and denies everything', () => {
  const what = { kind: 'role', role: 'gone' } as const;
  assert.equal(ask(indexOf([grant('a', { what })])).reason, 'NO_MATCH');
  assert.equal(ask(indexOf([grant('a'), grant('b', { what, effect: 'deny' })])).reason, 'DENIED_BY_RULE');
});

test('a grant counts until its expiry, and the decision says when it changes by itself', () => {
  assert.equal(ask(indexOf([grant('g', { expiresAt: NOW })])).reason, 'NO_MATCH');
  assert.equal(ask(indexOf([grant('g', { expiresAt: NOW + 1 })])).expiresAt, NOW + 1);
  assert.equal(
    ask(indexOf([grant('g', { expiresAt: NOW + 1 }), grant('h', { expiresAt: NOW + 9 })])).expiresAt,
    NOW + 9,
  );
  assert.equal(ask(indexOf([grant('g', { expiresAt: NOW + 1 }), grant('h')])).expiresAt, undefined);
  const deny = grant('d', { effect: 'deny', expiresAt: NOW + 5 });
  assert.equal(ask(indexOf([grant('g'), deny])).expiresAt, NOW + 5, 'then the allow is what is left');
  assert.equal(ask(indexOf([grant('g', { expiresAt: NOW + 5 }), deny])).expiresAt, undefined, 'then nothing is left');
  assert.equal(ask(indexOf([deny])).expiresAt, undefined);
});

test('a credential narrows by its scopes and ends the answer when it ends', () => {
  const index = indexOf([grant('g', { what: { kind: 'role', role: 'owner' } })]);
  assert.equal(ask(index, { scopes: ['documents:read'] }).reason, 'GRANTED');
  assert.equal(ask(index, { scopes: ['documents:*', 'openid'] }).reason, 'GRANTED');
  assert.equal(ask(index, { scopes: ['documents:write'] }).reason, 'OUT_OF_SCOPE');
  assert.equal(ask(index, { scopes: [] }).reason, 'OUT_OF_SCOPE');
  assert.equal(ask(index, { credentialExpiresAt: NOW + 3 }).expiresAt, NOW + 3);
});

test('a disabled subject is denied whatever it was granted, until it is enabled', () => {
  const subject = { type: 'user', id: '7' };
  const disabled: PolicyEntry = { kind: 'subject', subject, disabled: true };
  assert.equal(ask(indexOf([grant('g')], [disabled])).reason, 'SUBJECT_DISABLED');
  assert.equal(ask(indexOf([grant('g')], [disabled, { ...disabled, disabled: false }])).reason, 'GRANTED');
  assert.equal(ask(indexOf([], [disabled])).reason, 'SUBJECT_DISABLED');
});

test('in tenant sallyport an allow on the whole tenant does not reach tenant:sallyport, a deny does', () => {
  const self = { type: 'tenant', id: 'sallyport' };
  const other = { type: 'tenant', id: 'default' };
  const whole = indexOf([grant('g')], [], 'sallyport');
  assert.equal(ask(whole, { resource: other }).reason, 'GRANTED');
  assert.equal(ask(whole, { resource: self }).reason, 'NO_MATCH');
  const explicit = indexOf([grant('g', { resource: self })], [], 'sallyport');
  assert.equal(ask(explicit, { resource: self }).reason, 'GRANTED');
  const denied = indexOf([grant('g', { resource: self }), grant('d', { effect: 'deny' })], [], 'sallyport');
  assert.equal(ask(denied, { resource: self }).reason, 'DENIED_BY_RULE');
  const elsewhere = indexOf([grant('g')], [], 'default');
  assert.equal(ask(elsewhere, { resource: self }).reason, 'GRANTED', 'only there');
});

test('a policy entry cannot change the roles of tenant sallyport', () => {
  const grants = [grant('g', { what: { kind: 'role', role: 'owner' } })];
  const broken: PolicyEntry = { kind: 'policy', author: 'x', version: 2, policy: { roles: [] } };
  assert.equal(ask(indexOf(grants, [broken], 'sallyport')).reason, 'GRANTED');
  assert.equal(ask(indexOf(grants, [broken])).reason, 'UNKNOWN_PERMISSION');
});

test('an explanation says of a grant whose role is gone that the policy has no such role', () => {
  const left: PolicyEntry = {
    kind: 'policy',
    author: 'x',
    version: 2,
    policy: { roles: [{ name: 'viewer', permissions: ['documents:read'], inherits: [] }] },
  };
  const index = indexOf([grant('g1', { what: { kind: 'role', role: 'editor' } })], [left]);
  const [miss] = index.explain({ subject: { type: 'user', id: '7' }, permission: 'documents:read' }, NOW);
  assert.equal(miss, 'user:7 holds role editor by grant g1, but the policy has no role editor');
});

test('an explanation names the path, or what is nearest and what is missing', () => {
  const index = indexOf([grant('g1', { what: { kind: 'role', role: 'editor' }, resource: document42 })]);
  const question = { subject: { type: 'user', id: '7' }, permission: 'documents:read', resource: document42 };
  assert.deepEqual(index.explain(question, NOW), [
    'user:7 holds role editor on document:42 by grant g1',
    'role editor includes role viewer',
    'role viewer includes documents:read',
  ]);
  assert.deepEqual(index.explain({ ...question, resource: undefined }, NOW), [
    'user:7 holds role editor on document:42 by grant g1, but not on the whole tenant',
    'to allow it, grant user:7 a role or permission that includes documents:read',
  ]);
  assert.deepEqual(index.explain({ ...question, permission: 'documents:delete' }, NOW), [
    'user:7 holds role editor on document:42 by grant g1, but role editor does not include documents:delete',
    'to allow it, grant user:7 a role or permission that includes documents:delete on document:42',
  ]);
  assert.deepEqual(index.explain({ ...question, permission: 'invoices:read' }, NOW), [
    'no role or rule of the policy and no grant names invoices:read',
  ]);
});
