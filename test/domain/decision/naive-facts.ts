import type { PolicyEntry, StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Attributes, Grant, GrantFilter, Policy } from '../../../src/domain/decision/use-cases.ts';
import type { ResourceRef, SubjectRef } from '../../../src/domain/subject.ts';

// What the naive model knows: the log's entries applied to plain lists, by the comments of grant.proto.

export interface NaiveFacts {
  readonly tenant: string;
  policy: Policy;
  /** In the order in which they were first written. */
  grants: readonly Grant[];
  links: readonly { readonly child: ResourceRef; readonly parent: ResourceRef }[];
  attributes: readonly { readonly subject: SubjectRef; readonly attributes: Attributes }[];
  disabled: readonly SubjectRef[];
}

export function applyEntry(facts: NaiveFacts, entry: PolicyEntry): void {
  // The roles of tenant sallyport are compiled in.
  if (entry.kind === 'policy' && facts.tenant !== 'sallyport') facts.policy = entry.policy;
  if (entry.kind === 'grants') for (const each of entry.changes) applyChange(facts, each);
  if (entry.kind !== 'subject') return;
  facts.disabled = facts.disabled.filter((each) => !same(each, entry.subject));
  if (entry.disabled) facts.disabled = [...facts.disabled, entry.subject];
}

function applyChange(facts: NaiveFacts, to: StoredChange): void {
  const { grants, links, attributes } = facts;
  switch (to.kind) {
    case 'put': {
      const isThere = grants.some(({ id }) => id === to.grant.id);
      facts.grants = isThere
        ? grants.map((each) => (each.id === to.grant.id ? to.grant : each))
        : [...grants, to.grant];
      return;
    }
    case 'delete':
      facts.grants = grants.filter(({ id }) => id !== to.grantId);
      return;
    case 'delete_matching':
      facts.grants = grants.filter((grant) => !selects(to.filter, grant));
      return;
    case 'put_parent':
      facts.links = [...links.filter(({ child }) => !same(child, to.child)), to];
      return;
    case 'delete_parent':
      facts.links = links.filter(({ child, parent }) => !same(child, to.child) || !same(parent, to.parent));
      return;
    case 'put_attributes':
      facts.attributes = [...attributes.filter(({ subject }) => !same(subject, to.subject)), to];
  }
}

/** Those that have not expired. */
export function alive(grants: readonly Grant[], now: number): readonly Grant[] {
  return grants.filter(({ expiresAt = Infinity }) => expiresAt > now);
}

/** The resource and all that it lies in. */
export function around(facts: NaiveFacts, resource: ResourceRef | undefined): readonly ResourceRef[] {
  if (resource === undefined) return [];
  return [resource, ...around(facts, facts.links.find(({ child }) => same(child, resource))?.parent)];
}

export function selects({ subject, role, resource }: GrantFilter, grant: Grant): boolean {
  return (
    (subject === undefined || same(subject, grant.subject)) &&
    (role === undefined || (grant.what.kind === 'role' && grant.what.role === role)) &&
    (resource === undefined || same(resource, grant.resource))
  );
}

export function same(one: SubjectRef | undefined, other: SubjectRef | undefined): boolean {
  return one?.type === other?.type && one?.id === other?.id && one?.relation === other?.relation;
}
