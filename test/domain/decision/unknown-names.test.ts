import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChangingDecisionIndex, createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import type { DecisionQuestion } from '../../../src/domain/decision/decision-index.ts';
import { encodePolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Policy } from '../../../src/domain/decision/use-cases.ts';

// Names that only requests mention leave nothing behind: whoever may ask could fill the memory otherwise.

const POLICY: Policy = {
  roles: [
    { name: 'viewer', permissions: ['documents:read'], inherits: [] },
    { name: 'member', permissions: [], inherits: [] },
  ],
};
const viewer = { kind: 'role', role: 'viewer' } as const;
const team = { type: 'group', id: 'eng' };

function applyGrants(index: ChangingDecisionIndex, changes: readonly StoredChange[]): void {
  index.apply({
    revision: index.revision + 1,
    at: 0,
    body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }),
  });
}

function world(): ChangingDecisionIndex {
  const index = createDecisionIndex('default', POLICY);
  const body = encodePolicyEntry({ kind: 'policy', author: 'a', version: 1, policy: POLICY });
  index.apply({ revision: 1, at: 0, body });
  const what = { kind: 'role', role: 'member' } as const;
  applyGrants(index, [
    { kind: 'put', grant: { id: 'm', subject: { type: 'user', id: '7' }, what, resource: team, effect: 'allow' } },
  ]);
  return index;
}

/** A policy that speaks of a role, a condition, a subject, a type and a set that nothing else mentions. */
function hostile(at: number): Policy {
  const rule = (name: string, subject: { type: string; id: string; relation?: string }) =>
    ({ name, effect: 'allow', permissions: [`p${at}:read`], subject, condition: `context.n != ${at}` }) as const;
  return {
    roles: [...POLICY.roles, { name: `role${at}`, permissions: [`q${at}:read`], inherits: [] }],
    rules: [
      rule('one', { type: `type${at}`, id: `${at}` }),
      rule('two', { type: 'group', id: `g${at}`, relation: `role${at}` }),
      rule('three', { ...team, relation: 'member' }),
    ],
  };
}

test('names in 10,000 questions with contextual grants, and their explanations, are not kept', () => {
  const index = world();
  const before = index.nameCount;
  for (let at = 0; at < 10_000; at += 1) {
    const set = { type: 'group', id: `g${at}`, relation: `r${at}` };
    const question: DecisionQuestion = {
      subject: { type: `type${at}`, id: `subject${at}` },
      permission: `things${at}:read`,
      resource: { type: `kind${at}`, id: `${at}` },
      contextualGrants: [
        { subject: set, what: { kind: 'role', role: `role${at}` }, effect: 'allow' },
        { subject: { type: 'user', id: `u${at}` }, what: viewer, resource: set, effect: 'allow' },
      ],
    };
    assert.equal(index.decide(question, 1).effect, 'deny');
    if (at % 100 === 0) index.explain(question, 1);
  }
  assert.equal(index.nameCount, before);
});

test('10,000 policies that are tried leave no names, and decisions are as they were', () => {
  const index = world();
  const before = index.nameCount;
  const text = [...index.snapshot()];
  const asked = { subject: { type: 'user', id: '7' }, context: { n: -1 } };
  for (let at = 0; at < 10_000; at += 1) {
    const [tried] = index.decideUnder(hostile(at), [{ ...asked, permission: `p${at}:read` }], 1);
    assert.equal(tried?.effect, 'allow', 'member of eng by rule three');
    const stranger = { ...asked, subject: { type: `type${at}`, id: `${at}` }, permission: `p${at}:read` };
    if (at % 100 === 0) assert.equal(index.decideUnder(hostile(at), [stranger], 1)[0]?.effect, 'allow');
    if (at % 100 === 0) assert.equal(index.decide(stranger, 1).reason, 'UNKNOWN_PERMISSION');
  }
  assert.equal(index.nameCount, before);
  assert.deepEqual([...index.snapshot()], text);
  // The set of rule three is nobody's again until a grant names it; then its member counts.
  applyGrants(index, [
    { kind: 'put', grant: { id: 'g', subject: { ...team, relation: 'member' }, what: viewer, effect: 'allow' } },
  ]);
  assert.equal(index.decide({ ...asked, permission: 'documents:read' }, 1).effect, 'allow');
});

test('names that written grants left behind are a reason to rebuild', () => {
  const index = world();
  for (let at = 0; !index.isWasteful(); at += 1) {
    assert.ok(at < 200, 'never wasteful');
    const changes = Array.from({ length: 500 }, (_, nth): StoredChange[] => {
      const subject = { type: 'user', id: `${at}-${nth}` };
      return [
        { kind: 'put_attributes', subject, attributes: { a: 1 } },
        { kind: 'put_attributes', subject, attributes: {} },
      ];
    });
    applyGrants(index, changes.flat());
  }
  const rebuilt = createDecisionIndex('default', POLICY);
  for (const chunk of index.snapshot()) rebuilt.restore(chunk);
  assert.equal(rebuilt.isWasteful(), false);
  assert.equal(rebuilt.nameCount, world().nameCount);
});
