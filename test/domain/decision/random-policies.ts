import fc from 'fast-check';
import type { PolicyEntry, StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Attributes, ContextualGrant, Grant, Policy, Rule } from '../../../src/domain/decision/use-cases.ts';
import type { Conditions } from './naive-model.ts';

// Random policies, grants and questions, in a world so small that they meet.

/** Epoch ms. */
export const NOW = 100;
export const SUBJECTS = ['1', '2', '3'].map((id) => ({ type: 'user', id }));
/** Nobody has granted them anything. */
export const STRANGER = { type: 'user', id: 'nobody' };
const GROUPS = ['1', '2', '3'].map((id) => ({ type: 'group', id }));
const HOLDERS = [
  ...SUBJECTS,
  { type: 'everyone', id: 'authenticated' },
  ...GROUPS.map((group) => ({ ...group, relation: 'member' })),
  { type: 'group', id: '1', relation: 'owner' },
];
const FOLDERS = ['1', '2'].map((id) => ({ type: 'folder', id }));
export const RESOURCES = [
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
  'now < timestamp("1970-01-01T00:00:00.102Z")': ({ now }) => now < NOW + 2,
  'now >= timestamp("1970-01-01T00:00:00.101Z")': ({ now }) => now >= NOW + 1,
};

/** Of them, those whose answer time alone changes. */
const readsNow = (text: string | undefined): boolean => text?.includes('now') ?? false;

interface Asked {
  readonly now: number;
  readonly context: Attributes;
  readonly properties: Attributes;
  readonly stored: Attributes;
  readonly resource: Attributes;
}

export const conditions: Conditions = (text, question, stored, now) =>
  CONDITIONS[text]?.({
    now,
    context: question.context ?? {},
    properties: question.subjectProperties ?? {},
    stored,
    resource: question.resourceProperties ?? {},
  }) ?? [];

const condition = fc.constantFrom(...Object.keys(CONDITIONS));
export const PERMISSIONS = ['a:b', 'a:c', 'b:c', 'a:b:c', 'x:y'];
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

/** What goes with a question. */
const given = {
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
};

const tenant = fc.constantFrom('default', 'sallyport');

/** Entries one after another, and what every question after them is asked with. */
export const history = fc.record({
  tenant,
  entries: fc.array(entry, { minLength: 1, maxLength: 12 }),
  snapshotAt: fc.nat(12),
  filter,
  given: fc.record(given),
});

/** One policy, its grants and one question. Most have so many grants that some decide; in a quarter scopes may. */
export const decisionCase = fc.record({
  tenant: fc.constantFrom('default', 'default', 'default', 'sallyport'),
  policy,
  changes: fc.array(change, { minLength: 1, maxLength: 48, size: 'max' }),
  question: fc.record({
    subject: fc.constantFrom(...SUBJECTS, ...SUBJECTS, STRANGER),
    permission: fc.constantFrom(...PERMISSIONS),
    resource: fc.constantFrom(undefined, ...RESOURCES, { type: 'document', id: 'other' }),
    ...given,
    scopes: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: given.scopes }),
  }),
});

/** Whether time alone can change an answer other than by the end of a grant. */
export function anyReadsNow(policy: Policy, grants: readonly Grant[]): boolean {
  return [...(policy.rules ?? []), ...grants].some(({ condition: text }) => readsNow(text));
}

export const BUILT_IN: Policy = { roles: [{ name: 'viewer', permissions: ['a:b'], inherits: [] }] };
