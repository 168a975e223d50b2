import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import type { DecisionIndex, DecisionQuestion } from '../../../src/domain/decision/decision-index.ts';
import { encodePolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Grant, Policy, Rule } from '../../../src/domain/decision/use-cases.ts';

// The rows of the fail-closed table (architecture.md) that come with groups, parents, conditions and rules. Those without are in
// decide.test.ts; credentials, stale data and malformed requests are refused before there is a decision (authorize.test.ts, e2e).

const NOW = 1_000_000;
const user = { type: 'user', id: '7' };
const viewer = { kind: 'role', role: 'viewer' } as const;
const member = { kind: 'role', role: 'member' } as const;
const folder = (id: string) => ({ type: 'folder', id });
const group = (id: string) => ({ type: 'group', id });
const members = (id: string) => ({ ...group(id), relation: 'member' });

function indexOf(changes: readonly StoredChange[], rules: readonly Rule[] = []): DecisionIndex {
  const index = createDecisionIndex('default', { roles: [] });
  const roles = [
    { name: 'viewer', permissions: ['documents:read'], inherits: [] },
    { name: 'member', permissions: [], inherits: [] },
  ];
  const policy: Policy = rules.length === 0 ? { roles } : { roles, rules };
  index.apply({ revision: 1, at: 0, body: encodePolicyEntry({ kind: 'policy', author: 'a', version: 1, policy }) });
  index.apply({ revision: 2, at: 0, body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }) });
  return index;
}

function put(id: string, more: Partial<Grant> = {}): StoredChange {
  return { kind: 'put', grant: { id, subject: user, what: viewer, effect: 'allow', ...more } };
}

function ask(index: DecisionIndex, more: Partial<DecisionQuestion> = {}) {
  const { subject: _, ...decision } = index.decide({ subject: user, permission: 'documents:read', ...more }, NOW);
  return decision;
}

test('a missing attribute on an allow: that allow is skipped, and the denial names what is missing', () => {
  const index = indexOf([put('g', { condition: 'context.ip == "x"' })]);
  const denied = { effect: 'deny', reason: 'CONTEXT_MISSING', missingContext: ['context.ip'] };
  assert.deepEqual(ask(index), denied);
  assert.equal(ask(index, { context: { ip: 'x' } }).reason, 'GRANTED');
  assert.equal(ask(index, { context: { ip: 'y' } }).reason, 'NO_MATCH');
  assert.equal(ask(index, { context: { ip: null } }).reason, 'NO_MATCH');
  assert.deepEqual(ask(indexOf([put('g', { condition: 'context.n > 1' })]), { context: { n: 'text' } }), {
    ...denied,
    missingContext: ['context.n'],
  });
});

test('another allow is enough, whatever one of them is missing', () => {
  const index = indexOf([put('g', { condition: 'context.ip == "x"' }), put('h')]);
  assert.deepEqual(ask(index), { effect: 'allow', reason: 'GRANTED', grantIds: ['h'] });
});

test('a missing attribute or an error on a deny: the deny applies', () => {
  const index = indexOf([put('g'), put('d', { effect: 'deny', condition: 'context.night' })]);
  const applied = { effect: 'deny', reason: 'CONDITION_ERROR', grantIds: ['d'], missingContext: ['context.night'] };
  assert.deepEqual(ask(index), applied);
  assert.deepEqual(ask(index, { context: { night: 'yes' } }), applied);
  assert.equal(ask(index, { context: { night: true } }).reason, 'DENIED_BY_RULE');
  assert.equal(ask(index, { context: { night: false } }).reason, 'GRANTED');
});

test('a condition that this release refuses allows nothing and denies all', () => {
  const broken = 'context.l.all(a, context.l.all(b, a == b))';
  assert.equal(ask(indexOf([put('g', { condition: broken })])).reason, 'CONTEXT_MISSING');
  assert.equal(ask(indexOf([put('g'), put('d', { effect: 'deny', condition: broken })])).reason, 'CONDITION_ERROR');
});

test('a membership that cannot be answered brings no allow, and every deny', () => {
  const unsure = put('m', { what: member, resource: group('eng'), condition: 'context.on' });
  const allowed = indexOf([unsure, put('g', { subject: members('eng') })]);
  assert.equal(ask(allowed).reason, 'CONTEXT_MISSING');
  assert.equal(ask(allowed, { context: { on: true } }).reason, 'GRANTED');
  assert.equal(ask(allowed, { context: { on: false } }).reason, 'NO_MATCH');
  const denied = indexOf([unsure, put('g'), put('d', { subject: members('eng'), effect: 'deny' })]);
  assert.equal(ask(denied).reason, 'CONDITION_ERROR');
  assert.equal(ask(denied, { context: { on: false } }).reason, 'GRANTED');
});

test('a deny reaches through groups, parents, rules and everybody, whatever allows', () => {
  const deny = { effect: 'deny' } as const;
  const everyone = { type: 'everyone', id: 'authenticated' };
  const link: StoredChange = { kind: 'put_parent', child: folder('in'), parent: folder('out') };
  const joined = put('m', { what: member, resource: group('eng') });
  const resource = folder('in');
  for (const changes of [
    [put('g'), joined, put('d', { ...deny, subject: members('eng') })],
    [put('g', { resource }), link, put('d', { ...deny, resource: folder('out') })],
    [put('g'), put('d', { ...deny, subject: everyone })],
  ]) {
    assert.deepEqual(ask(indexOf(changes), { resource }).grantIds, ['d']);
  }
  const rule: Rule = { name: 'no-folders', effect: 'deny', permissions: ['documents:*'], resourceType: 'folder' };
  assert.deepEqual(ask(indexOf([put('g')], [rule]), { resource }), {
    effect: 'deny',
    reason: 'DENIED_BY_RULE',
    ruleNames: ['no-folders'],
  });
  assert.equal(ask(indexOf([put('g')], [rule])).reason, 'GRANTED');
});

test('only an allow of the very role on the very group makes a member, and only while it lasts', () => {
  const granted = put('g', { subject: members('eng') });
  for (const more of [
    { resource: undefined },
    { resource: group('other') },
    { resource: group('eng'), what: viewer },
    { resource: group('eng'), effect: 'deny' },
    { resource: group('eng'), expiresAt: NOW },
  ] as const) {
    const { resource, ...rest } = { what: member, ...more };
    const joined = put('m', resource === undefined ? rest : { ...rest, resource });
    assert.notEqual(ask(indexOf([joined, granted])).effect, 'allow', JSON.stringify(more));
  }
  const lasting = indexOf([put('m', { what: member, resource: group('eng'), expiresAt: NOW + 5 }), granted]);
  assert.deepEqual(ask(lasting), { effect: 'allow', reason: 'GRANTED', grantIds: ['g'], expiresAt: NOW + 5 });
});

test('an answer that a condition on the time had a part in is over when it is given, a yes and a no alike', () => {
  const before = (time: string) => `now < timestamp("${time}")`;
  const [open, closed] = [before('1970-01-01T00:20:00Z'), before('1970-01-01T00:10:00Z')];
  for (const changes of [
    [put('g', { condition: open, expiresAt: NOW + 5 })],
    [put('g', { condition: closed })],
    [put('g'), put('d', { effect: 'deny', condition: closed })],
    [put('m', { what: member, resource: group('eng'), condition: open }), put('g', { subject: members('eng') })],
  ]) {
    assert.equal(ask(indexOf(changes)).expiresAt, NOW, JSON.stringify(changes));
  }
  const elsewhere = put('g', { what: { kind: 'permission', permission: 'users:read' }, condition: open });
  assert.equal(ask(indexOf([put('h'), elsewhere])).expiresAt, undefined);
});

test('nobody can ask as a group or as everybody of another name', () => {
  const index = indexOf([put('g', { subject: members('eng') })]);
  assert.equal(ask(index, { subject: members('eng') }).effect, 'deny');
  assert.equal(ask(index, { subject: group('eng') }).effect, 'deny');
});

test('a chain of 33 groups, 33 folders, or a list of 1,001: an error, never an answer', () => {
  const chain = Array.from({ length: 33 }, (_, at) =>
    put(`m${at}`, { subject: at === 0 ? user : members(`${at - 1}`), what: member, resource: group(`${at}`) }),
  );
  const limited = { reason: 'LIMIT_EXCEEDED' };
  const granted = put('g', { subject: members('32') });
  assert.throws(() => ask(indexOf([...chain, granted, put('own')])), limited);
  assert.equal(
    ask(indexOf([...chain.slice(1), put('m', { what: member, resource: group('1') }), granted])).effect,
    'allow',
  );
  const folders = Array.from({ length: 33 }, (_, at): StoredChange => {
    return { kind: 'put_parent', child: folder(`${at}`), parent: folder(`${at + 1}`) };
  });
  assert.throws(() => ask(indexOf([...folders, put('own')]), { resource: folder('0') }), limited);
  assert.equal(
    ask(indexOf([...folders, put('g', { resource: folder('33') })]), { resource: folder('1') }).effect,
    'allow',
  );
  const listed = indexOf([put('g', { condition: 'context.l.all(a, a)' })]);
  assert.throws(() => ask(listed, { context: { l: Array.from({ length: 1001 }, () => true) } }), limited);
});

test('a group of 100,000 is joined by its first mention, and each member is in it', () => {
  const index = createDecisionIndex('default', { roles: [] });
  const roles = [{ name: 'viewer', permissions: ['documents:read'], inherits: [] }];
  index.apply({
    revision: 1,
    at: 0,
    body: encodePolicyEntry({ kind: 'policy', author: 'a', version: 1, policy: { roles } }),
  });
  const apply = (changes: readonly StoredChange[]): void =>
    index.apply({
      revision: index.revision + 1,
      at: 0,
      body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }),
    });
  for (let from = 0; from < 100_000; from += 1000) {
    apply(
      Array.from({ length: 1000 }, (_, at) =>
        put(`m${from + at}`, { subject: { type: 'user', id: `${from + at}` }, what: member, resource: group('all') }),
      ),
    );
  }
  apply([put('g', { subject: members('all') })]);
  for (const id of ['0', '4711', '99999']) {
    assert.equal(ask(index, { subject: { type: 'user', id } }).effect, 'allow');
  }
  assert.equal(ask(index, { subject: { type: 'user', id: '100000' } }).effect, 'deny');
});
