import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import { encodePolicyEntry, type PolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Grant, Policy } from '../../../src/domain/decision/use-cases.ts';
import { createNaiveModel, type NaiveModel } from './naive-model.ts';

// The index against a model that was written to be read, on random histories: decisions, lists and counts agree after every entry, and
// so do those of an index that was restored from a snapshot taken while the history went on.

const NOW = 100;
const SUBJECTS = ['1', '2', '3'].map((id) => ({ type: 'user', id }));
const RESOURCES = [
  { type: 'tenant', id: 'sallyport' },
  { type: 'document', id: '1' },
  { type: 'user', id: '1' },
];
const ROLES = ['viewer', 'editor', 'owner', 'gone'];
const PERMISSIONS = ['a:b', 'a:c', 'b:c', 'a:b:c', 'x:y'];
const PATTERNS = ['a:b', 'a:*', '*', '*:c', 'b:c', 'a:*:c'];

const roleOf = (name: string): fc.Arbitrary<Policy['roles'][number]> =>
  fc.record({
    name: fc.constant(name),
    permissions: fc.subarray(PATTERNS, { maxLength: 2 }),
    // Only roles after it in ROLES, so that there is no cycle; a parent that is missing must not matter.
    inherits: fc.subarray(ROLES.slice(ROLES.indexOf(name) + 1)),
  });

const policy: fc.Arbitrary<PolicyEntry> = fc
  .subarray(ROLES.slice(0, 3))
  .chain((names) => fc.tuple(...names.map(roleOf)))
  .map((roles) => ({ kind: 'policy', author: 'a', version: 1, policy: { roles } }));

const grant: fc.Arbitrary<Grant> = fc.record(
  {
    id: fc.constantFrom('g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7', 'g8'),
    subject: fc.constantFrom(...SUBJECTS),
    what: fc.oneof(
      fc.constantFrom(...ROLES).map((role) => ({ kind: 'role' as const, role })),
      fc.constantFrom(...PATTERNS).map((permission) => ({ kind: 'permission' as const, permission })),
    ),
    resource: fc.constantFrom(...RESOURCES),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    expiresAt: fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + 50),
  },
  { requiredKeys: ['id', 'subject', 'what', 'effect'], noNullPrototype: true },
);

const filter = fc.record(
  { subject: fc.constantFrom(...SUBJECTS), role: fc.constantFrom(...ROLES), resource: fc.constantFrom(...RESOURCES) },
  { requiredKeys: [], noNullPrototype: true },
);

const change: fc.Arbitrary<StoredChange> = fc.oneof(
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
  credentialExpiresAt: fc.option(fc.constantFrom(NOW + 1, NOW + 2), { nil: undefined }),
});

const BUILT_IN: Policy = { roles: [{ name: 'viewer', permissions: ['a:b'], inherits: [] }] };

type Index = ReturnType<typeof createDecisionIndex>;

function agree(index: Index, model: NaiveModel, run: typeof history extends fc.Arbitrary<infer T> ? T : never): void {
  for (const subject of [...SUBJECTS, { type: 'user', id: 'nobody' }]) {
    for (const permission of PERMISSIONS) {
      for (const resource of [undefined, ...RESOURCES, { type: 'document', id: 'other' }]) {
        const { scopes, credentialExpiresAt } = run;
        const question = { subject, permission, resource, scopes, credentialExpiresAt };
        const { effect, reason, expiresAt, grantIds } = index.decide(question, NOW);
        const ids = grantIds?.toSorted();
        assert.deepEqual(
          { effect, reason, expiresAt, grantIds: ids },
          model.decide(question, NOW),
          JSON.stringify(question),
        );
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
      const model = createNaiveModel(run.tenant, BUILT_IN);
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
