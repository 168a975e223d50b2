import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import { encodePolicyEntry, type PolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Attributes, ContextualGrant, Grant, Policy, Rule } from '../../../src/domain/decision/use-cases.ts';
import { type Conditions, createNaiveModel, type NaiveModel } from './naive-model.ts';

// The index against a model that was written to be read, on random histories: decisions, lists and counts agree after every entry, and
// so do those of an index that was restored from a snapshot taken while the history went on.

const NOW = 100;
const SUBJECTS = ['1', '2', '3'].map((id) => ({ type: 'user', id }));
const GROUPS = ['1', '2', '3'].map((id) => ({ type: 'group', id }));
const HOLDERS = [
  ...SUBJECTS,
  { type: 'everyone', id: 'authenticated' },
  ...GROUPS.map((group) => ({ ...group, relation: 'member' })),
  { type: 'group', id: '1', relation: 'owner' },
];
const FOLDERS = ['1', '2'].map((id) => ({ type: 'folder', id }));
const RESOURCES = [
  { type: 'tenant', id: 'sallyport' },
  { type: 'document', id: '1' },
  { type: 'user', id: '1' },
  ...FOLDERS,
  ...GROUPS,
];
const ROLES = ['viewer', 'editor', 'owner', 'member', 'gone'];
/** What each says, in the words of the test. */
const CONDITIONS: { readonly [text: string]: (asked: Asked) => boolean | readonly string[] } = {
  'context.x': ({ context: { x } }) => (typeof x === 'boolean' ? x : ['context.x']),
  'has(context.x) && context.n > 1': ({ context: { x, n } }) =>
    x === undefined ? false : typeof n === 'number' ? n > 1 : ['context.n'],
  'context.x || subject.properties.y == "a"': ({ context: { x }, properties: { y } }) =>
    x === true || y === 'a'
      ? true
      : x === false && y !== undefined
        ? false
        : [...(x === undefined ? ['context.x'] : []), ...(y === undefined ? ['subject.properties.y'] : [])],
  'subject.attributes.a == resource.properties.a': ({ stored: { a }, resource: { a: b } }) =>
    a !== undefined && b !== undefined
      ? a === b
      : [...(a === undefined ? ['subject.attributes.a'] : []), ...(b === undefined ? ['resource.properties.a'] : [])],
};

interface Asked {
  readonly context: Attributes;
  readonly properties: Attributes;
  readonly stored: Attributes;
  readonly resource: Attributes;
}

const conditions: Conditions = (text, question, stored) =>
  CONDITIONS[text]?.({
    context: question.context ?? {},
    properties: question.subjectProperties ?? {},
    stored,
    resource: question.resourceProperties ?? {},
  }) ?? [];

const condition = fc.constantFrom(...Object.keys(CONDITIONS));
const PERMISSIONS = ['a:b', 'a:c', 'b:c', 'a:b:c', 'x:y'];
const PATTERNS = ['a:b', 'a:*', '*', '*:c', 'b:c', 'a:*:c'];

const roleOf = (name: string): fc.Arbitrary<Policy['roles'][number]> =>
  fc.record({
    name: fc.constant(name),
    permissions: fc.subarray(PATTERNS, { maxLength: 2 }),
    // Only roles after it in ROLES, so that there is no cycle; a parent that is missing must not matter.
    inherits: fc.subarray(ROLES.slice(ROLES.indexOf(name) + 1)),
  });

const ruleOf: fc.Arbitrary<Omit<Rule, 'name'>> = fc.record(
  {
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    permissions: fc.subarray(PATTERNS, { minLength: 1, maxLength: 2 }),
    subject: fc.constantFrom(...HOLDERS),
    resourceType: fc.constantFrom('document', 'folder'),
    condition,
  },
  { requiredKeys: ['effect', 'permissions'], noNullPrototype: true },
);

const policy: fc.Arbitrary<PolicyEntry> = fc
  .tuple(
    fc.subarray(ROLES.slice(0, 4)).chain((names) => fc.tuple(...names.map(roleOf))),
    fc.array(ruleOf, { maxLength: 3 }),
  )
  .map(([roles, drafts]) => {
    const rules = drafts.map((rule, index) => ({ ...rule, name: `rule-${index}` }));
    return { kind: 'policy', author: 'a', version: 1, policy: { roles, ...(rules.length === 0 ? {} : { rules }) } };
  });

const grant: fc.Arbitrary<Grant> = fc.record(
  {
    id: fc.constantFrom('g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7', 'g8'),
    subject: fc.constantFrom(...HOLDERS),
    what: fc.oneof(
      fc.constantFrom(...ROLES).map((role) => ({ kind: 'role' as const, role })),
      fc.constantFrom(...PATTERNS).map((permission) => ({ kind: 'permission' as const, permission })),
    ),
    resource: fc.constantFrom(...RESOURCES),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    expiresAt: fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + 50),
    condition,
  },
  { requiredKeys: ['id', 'subject', 'what', 'effect'], noNullPrototype: true },
);

const filter = fc.record(
  { subject: fc.constantFrom(...HOLDERS), role: fc.constantFrom(...ROLES), resource: fc.constantFrom(...RESOURCES) },
  { requiredKeys: [], noNullPrototype: true },
);

/** Who is in which group. */
const membership: fc.Arbitrary<Grant> = fc.record(
  {
    id: fc.constantFrom('m1', 'm2', 'm3', 'm4', 'm5'),
    subject: fc.constantFrom(...HOLDERS),
    what: fc.constantFrom({ kind: 'role' as const, role: 'member' }, { kind: 'role' as const, role: 'owner' }),
    resource: fc.constantFrom(...GROUPS),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'allow' as const, 'deny' as const),
    expiresAt: fc.constantFrom(NOW, NOW + 1, NOW + 50),
    condition,
  },
  { requiredKeys: ['id', 'subject', 'what', 'effect', 'resource'], noNullPrototype: true },
);

/** Never a cycle: a document in a folder, folder 1 in folder 2. */
const link = fc.constantFrom(...FOLDERS.map((folder) => ({ child: { type: 'document', id: '1' }, parent: folder })), {
  child: { type: 'folder', id: '1' },
  parent: { type: 'folder', id: '2' },
});

const attributes = fc.constantFrom<Attributes>({}, { a: 'a' }, { a: 'b' }, { b: 'a' });

const change: fc.Arbitrary<StoredChange> = fc.oneof(
  { weight: 4, arbitrary: membership.map((each) => ({ kind: 'put' as const, grant: each })) },
  { weight: 2, arbitrary: link.map((each) => ({ kind: 'put_parent' as const, ...each })) },
  { weight: 1, arbitrary: link.map((each) => ({ kind: 'delete_parent' as const, ...each })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...SUBJECTS), attributes)
      .map(([subject, stored]) => ({ kind: 'put_attributes' as const, subject, attributes: stored })),
  },
  { weight: 6, arbitrary: grant.map((each) => ({ kind: 'put' as const, grant: each })) },
  { weight: 2, arbitrary: grant.map((each) => ({ kind: 'delete' as const, grantId: each.id })) },
  { weight: 1, arbitrary: filter.map((each) => ({ kind: 'delete_matching' as const, filter: each })) },
);

const entry: fc.Arbitrary<PolicyEntry> = fc.oneof(
  { weight: 2, arbitrary: policy },
  {
    weight: 6,
    arbitrary: fc
      .array(change, { minLength: 1, maxLength: 8 })
      .map((changes) => ({ kind: 'grants' as const, author: 'a', changes })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...SUBJECTS), fc.boolean())
      .map(([subject, disabled]) => ({ kind: 'subject' as const, subject, disabled })),
  },
);

const history = fc.record({
  tenant: fc.constantFrom('default', 'sallyport'),
  entries: fc.array(entry, { minLength: 1, maxLength: 12 }),
  snapshotAt: fc.nat(12),
  filter,
  scopes: fc.option(fc.subarray(PATTERNS), { nil: undefined }),
  context: fc.constantFrom<(Attributes | undefined)[]>(undefined, { x: true }, { x: false, n: 2 }, { x: true, n: 1 }),
  subjectProperties: fc.constantFrom<(Attributes | undefined)[]>(undefined, { y: 'a' }, { y: 'b' }),
  resourceProperties: fc.constantFrom<(Attributes | undefined)[]>(undefined, { a: 'a' }),
  contextualGrants: fc.option(
    fc.array(
      fc.oneof(grant, membership).map(({ id, condition: _, ...each }): ContextualGrant => each),
      { maxLength: 2 },
    ),
    { nil: undefined },
  ),
  credentialExpiresAt: fc.option(fc.constantFrom(NOW + 1, NOW + 2), { nil: undefined }),
});

const BUILT_IN: Policy = { roles: [{ name: 'viewer', permissions: ['a:b'], inherits: [] }] };

type Index = ReturnType<typeof createDecisionIndex>;

function agree(index: Index, model: NaiveModel, run: typeof history extends fc.Arbitrary<infer T> ? T : never): void {
  for (const subject of [...SUBJECTS, { type: 'user', id: 'nobody' }]) {
    for (const permission of PERMISSIONS) {
      for (const resource of [undefined, ...RESOURCES, { type: 'document', id: 'other' }]) {
        const { scopes, credentialExpiresAt, context, subjectProperties, resourceProperties, contextualGrants } = run;
        const given = { scopes, credentialExpiresAt, context, subjectProperties, resourceProperties, contextualGrants };
        const question = { subject, permission, resource, ...given };
        const { subject: _, ...decision } = index.decide(question, NOW);
        const plain = JSON.parse(
          JSON.stringify({
            ...decision,
            grantIds: decision.grantIds?.toSorted(),
            ruleNames: decision.ruleNames?.toSorted(),
          }),
        );
        const expected = JSON.parse(JSON.stringify(model.decide(question, NOW)));
        assert.deepEqual(plain, expected, JSON.stringify(question));
      }
    }
  }
  assert.equal(index.grantCount, model.grants.length);
  assert.deepEqual(pages(index, run.filter), model.list(run.filter, NOW));
}

function pages(index: Index, wanted: Parameters<Index['list']>[0]): readonly Grant[] {
  const found: Grant[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page = index.list(wanted, from, 2, NOW);
    found.push(...page.grants);
    from = page.next;
  }
  return found;
}

test('the index agrees with a naive model on random policies, grants and questions, restored from a snapshot or not', () => {
  fc.assert(
    fc.property(history, (run) => {
      const index = createDecisionIndex(run.tenant, BUILT_IN);
      const model = createNaiveModel(run.tenant, BUILT_IN, conditions);
      const restored = createDecisionIndex(run.tenant, BUILT_IN);
      let snapshot: Generator<string> | undefined;
      const rest: PolicyEntry[] = [];
      for (const [at, each] of run.entries.entries()) {
        if (at === run.snapshotAt) {
          snapshot = index.snapshot();
          restored.restore(snapshot.next().value ?? '[]');
        }
        index.apply({ revision: at + 1, at, body: encodePolicyEntry(each) });
        model.apply(each);
        if (snapshot !== undefined) rest.push(each);
      }
      agree(index, model, run);
      if (snapshot === undefined) return;
      for (const chunk of snapshot) restored.restore(chunk);
      restored.restored(run.snapshotAt);
      for (const [at, each] of rest.entries()) {
        restored.apply({ revision: run.snapshotAt + at + 1, at, body: encodePolicyEntry(each) });
      }
      agree(restored, model, run);
    }),
    { numRuns: Number(process.env['MODEL_RUNS'] ?? 1000) },
  );
});
