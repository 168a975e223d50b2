import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import type { PermittedPage } from '../../../src/domain/decision/decision-index.ts';
import { encodePolicyEntry, type PolicyEntry, type StoredChange } from '../../../src/domain/decision/policy-log.ts';
import { SmallestTexts } from '../../../src/domain/decision/smallest-texts.ts';
import type { Grant } from '../../../src/domain/decision/use-cases.ts';

// Lists are equal to Authorize on every pair, whatever the policy and the grants: for each subject, permission and resource that
// anything names, it is listed if and only if `decide` allows it.

const NOW = 100;
const SUBJECTS = [
  { type: 'user', id: '1' },
  { type: 'user', id: 'a:b' },
  { type: 'service', id: '1' },
];
/** Beside them, whom grants may be to. */
const SETS = [
  { type: 'group', id: 'g1', relation: 'member' },
  { type: 'group', id: 'g2', relation: 'member' },
  { type: 'everyone', id: 'authenticated' },
];
const GROUPS = [
  { type: 'group', id: 'g1' },
  { type: 'group', id: 'g2' },
];
const RESOURCES = [
  { type: 'document', id: '1' },
  { type: 'document', id: '2' },
  { type: 'folder', id: '1' },
  { type: 'tenant', id: 'sallyport' },
];
const CONDITIONS = ['context.ok', 'subject.attributes.level == 2.0', 'resource.id == "1"'];
const NAMED = ['a:b', 'a:c', 'b:c', 'a:b:c'];
const PATTERNS = [...NAMED, 'a:*', '*', '*:c'];
const ROLES = ['viewer', 'editor', 'gone', 'member', 'member'];

const rule = fc.record(
  {
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    permissions: fc.subarray(PATTERNS, { minLength: 1, maxLength: 2 }),
    subject: fc.constantFrom(...SUBJECTS, ...SETS),
    resourceType: fc.constantFrom('document', 'folder'),
    condition: fc.constantFrom(...CONDITIONS),
  },
  { requiredKeys: ['effect', 'permissions'], noNullPrototype: true },
);

const policy: fc.Arbitrary<PolicyEntry> = fc
  .tuple(fc.subarray(PATTERNS), fc.subarray(PATTERNS), fc.boolean(), fc.array(rule, { maxLength: 2 }))
  .map(([viewer, editor, inherits, rules]) => ({
    kind: 'policy',
    author: 'a',
    version: 1,
    policy: {
      roles: [
        { name: 'viewer', permissions: viewer, inherits: [] },
        { name: 'editor', permissions: editor, inherits: inherits ? ['viewer'] : [] },
        { name: 'member', permissions: [], inherits: [] },
      ],
      resourceTypes: [{ name: 'document', parent: 'folder' }, { name: 'folder' }],
      rules: rules.map((each, at) => ({ ...each, name: `r${at}` })),
    },
  }));

const grant: fc.Arbitrary<Grant> = fc.record(
  {
    id: fc.constantFrom('g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7', 'g8', 'g9'),
    subject: fc.constantFrom(...SUBJECTS, ...SETS),
    what: fc.oneof(
      fc.constantFrom(...ROLES).map((role) => ({ kind: 'role' as const, role })),
      fc.constantFrom(...PATTERNS).map((permission) => ({ kind: 'permission' as const, permission })),
    ),
    resource: fc.constantFrom(...RESOURCES, ...GROUPS),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'allow' as const, 'deny' as const),
    expiresAt: fc.constantFrom(NOW, NOW + 1),
    condition: fc.constantFrom(...CONDITIONS),
  },
  { requiredKeys: ['id', 'subject', 'what', 'effect'], noNullPrototype: true },
);

const nodeChange: fc.Arbitrary<StoredChange> = fc.oneof(
  fc.constantFrom('1', '2').map((id) => ({
    kind: 'put_parent' as const,
    child: { type: 'document', id },
    parent: { type: 'folder', id: '1' },
  })),
  fc
    .tuple(fc.constantFrom(...SUBJECTS), fc.constantFrom(1, 2))
    .map(([subject, level]) => ({ kind: 'put_attributes' as const, subject, attributes: { level } })),
);

const entry: fc.Arbitrary<PolicyEntry> = fc.oneof(
  { weight: 1, arbitrary: policy },
  {
    weight: 4,
    arbitrary: fc
      .array(
        fc.oneof(
          { weight: 4, arbitrary: grant.map((each) => ({ kind: 'put' as const, grant: each })) },
          { weight: 1, arbitrary: nodeChange },
        ),
        { minLength: 1, maxLength: 8 },
      )
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
  entries: fc.array(entry, { minLength: 1, maxLength: 8 }),
  scopes: fc.option(fc.subarray(PATTERNS), { nil: undefined }),
  pageSize: fc.constantFrom(1, 2, 100),
  context: fc.constantFrom({ ok: true }, { ok: false }, {}),
});

const builtIn = { roles: [{ name: 'viewer', permissions: ['a:b', 'a:c'], inherits: [] }] };

function build(tenant: string, entries: readonly PolicyEntry[]) {
  const index = createDecisionIndex(tenant, builtIn);
  for (const [at, each] of entries.entries()) index.apply({ revision: at + 1, at, body: encodePolicyEntry(each) });
  return index;
}

function walk(list: (after: string) => PermittedPage): { names: readonly string[]; complete: boolean } {
  const names: string[] = [];
  let complete = true;
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = list(after);
    names.push(...page.names);
    complete &&= page.complete;
    after = page.next;
  }
  return { names, complete };
}

const number = (values: readonly string[]) => values.toSorted((left, right) => (left < right ? -1 : 1));

test('every list is equal to Authorize on every pair of what is named', () => {
  fc.assert(
    fc.property(history, ({ tenant, entries, scopes, context, pageSize: limit }) => {
      const index = build(tenant, entries);
      const allows = (subject: { type: string; id: string }, permission: string, resource?: typeof subject): boolean =>
        index.decide({ subject, permission, resource, scopes, context }, NOW).effect === 'allow';
      const grants = index.list({}, 0, 1000, 0).grants;
      const named = [
        ...index.policy.policy.roles.flatMap((role) => role.permissions),
        ...(index.policy.policy.rules ?? []).flatMap((each) => each.permissions),
        ...grants.flatMap(({ what }) => (what.kind === 'permission' ? [what.permission] : [])),
      ].filter((each) => !each.includes('*'));
      for (const subject of SUBJECTS) {
        for (const resource of [undefined, ...RESOURCES]) {
          const listed = walk((after) =>
            index.listPermissions({ subject, scopes, context }, resource, { after, limit }, NOW),
          );
          const expected = NAMED.filter((each) => named.includes(each) && allows(subject, each, resource));
          assert.deepEqual(listed.names, number(expected));
          // What nothing names is allowed only where the list says that there is more.
          if (listed.complete) assert(!allows(subject, 'a:unnamed', resource) && !allows(subject, 'z:c', resource));
        }
        for (const permission of NAMED) {
          for (const type of ['document', 'folder', 'tenant']) {
            const asked = { permission, type };
            const listed = walk((after) =>
              index.listResources({ subject, scopes, context }, asked, { after, limit }, NOW),
            );
            const known = RESOURCES.filter(
              (each) => each.type === type && (index.grantsOn(each).length > 0 || index.parentOf(each) !== undefined),
            );
            const expected = known.filter((each) => allows(subject, permission, each)).map(({ id }) => id);
            assert.deepEqual(listed.names, number(expected));
            if (listed.complete) assert(!allows(subject, permission, { type, id: 'never-mentioned' }));
          }
        }
      }
      for (const permission of NAMED) {
        for (const resource of [undefined, ...RESOURCES]) {
          for (const type of ['', 'user']) {
            const asked = { permission, resource, scopes, context };
            const listed = walk((after) => index.listSubjects(asked, type, { after, limit }, NOW));
            const allowed = SUBJECTS.filter((each) => type === '' || each.type === type).filter((each) =>
              allows(each, permission, resource),
            );
            const nameOf = (each: { type: string; id: string }): string => `${each.type}:${each.id}`;
            // A rule may name a subject that no grant names: it is listed as well.
            const byRule = new Set(
              (index.policy.policy.rules ?? []).flatMap((each) =>
                each.subject === undefined ? [] : nameOf(each.subject),
              ),
            );
            const expected = allowed.filter(
              (each) => index.grantsOf(each).length > 0 || listed.names.includes(nameOf(each)),
            );
            assert.deepEqual(listed.names, number(expected.map(nameOf)));
            for (const each of expected) assert(index.grantsOf(each).length > 0 || byRule.has(nameOf(each)));
            // Whom nothing names is allowed only where the list says that there are more.
            const others = [...SUBJECTS, { type: 'user', id: 'nobody' }].filter(
              (each) => !listed.names.includes(nameOf(each)),
            );
            if (listed.complete && type === '') assert(others.every((each) => !allows(each, permission, resource)));
          }
        }
      }
    }),
    { numRuns: Number(process.env['MODEL_RUNS'] ?? 300) },
  );
});

test('a walk over 100,000 holders of a role meets each exactly once, and one over 250,000 is refused', () => {
  const index = createDecisionIndex('default', builtIn);
  const policyEntry: PolicyEntry = { kind: 'policy', author: 'a', version: 1, policy: builtIn };
  index.apply({ revision: 1, at: 0, body: encodePolicyEntry(policyEntry) });
  let revision = 1;
  const fill = (from: number, to: number): void => {
    for (let first = from; first < to; first += 1000) {
      const changes = Array.from({ length: 1000 }, (_, each) => ({
        kind: 'put' as const,
        grant: {
          id: `g${first + each}`,
          subject: { type: 'user', id: `${first + each}` },
          what: { kind: 'role' as const, role: 'viewer' },
          resource: { type: 'document', id: '1' },
          effect: 'allow' as const,
        },
      }));
      revision += 1;
      index.apply({ revision, at: 0, body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }) });
    }
  };
  const asked = { permission: 'a:b', resource: { type: 'document', id: '1' } };
  fill(0, 100_000);
  let page = index.listSubjects(asked, 'user', { after: 'user:5', limit: 1000 }, NOW);
  const seen = new Set(page.names);
  for (; page.next !== undefined && seen.size < 5000; ) {
    page = index.listSubjects(asked, 'user', { after: page.next, limit: 1000 }, NOW);
    for (const name of page.names) seen.add(name);
  }
  assert.equal(seen.size, 5000);
  fill(100_000, 251_000);
  assert.throws(() => index.listSubjects(asked, '', { after: '', limit: 10 }, NOW), { reason: 'LIMIT_EXCEEDED' });
});

test('of any texts the smallest distinct ones after the cursor are kept, and a cut is told', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 3 })),
      fc.string({ maxLength: 2 }),
      fc.integer({ min: 1, max: 5 }),
      (texts, after, keep) => {
        const smallest = new SmallestTexts(after, keep);
        for (const each of texts) smallest.add(each);
        const all = [...new Set(texts)].filter((each) => each > after).sort();
        assert.deepEqual(smallest.take(), { texts: all.slice(0, keep), isCut: all.length > keep });
      },
    ),
  );
});
