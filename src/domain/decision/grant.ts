import { checkId, checkType, type ResourceRef, type SubjectRef } from '../subject.ts';
import type { Violations } from '../violations.ts';
import { EVERYONE } from './node-table.ts';
import { parsePattern } from './permission.ts';
import { type KnownRoles, unknownRole } from './unknown-role.ts';
import type { Grant, GrantFilter } from './use-cases.ts';

// A grant is one stored statement: who may (or may not) do what, on what, until when.

/** A grant as a client gives it: `id` is empty for a new one. */
export type GrantDraft = Omit<Grant, 'id'>;

/** Notes what is wrong with a grant below `field`. `roles` are those of the policy it will count under; `now` is epoch ms. */
export function checkGrant(
  grant: GrantDraft,
  field: string,
  roles: KnownRoles,
  now: number,
  violations: Violations,
): void {
  checkType(grant.subject.type, `${field}.subject.type`, violations);
  checkId(grant.subject.id, `${field}.subject.id`, violations);
  checkEveryone(grant.subject, `${field}.subject`, violations);
  const { relation } = grant.subject;
  if (relation !== undefined && relation !== '' && !roles.names.has(relation)) {
    violations.add(`${field}.subject.relation`, unknownRole(relation, roles));
  }
  if (grant.what.kind === 'permission') parsePattern(grant.what.permission, `${field}.permission`, violations);
  else if (!roles.names.has(grant.what.role)) {
    violations.add(`${field}.role`, unknownRole(grant.what.role, roles));
  }
  if (grant.resource !== undefined) {
    checkType(grant.resource.type, `${field}.resource.type`, violations);
    checkId(grant.resource.id, `${field}.resource.id`, violations);
  }
  if (grant.expiresAt === undefined) return;
  if (!Number.isSafeInteger(grant.expiresAt) || grant.expiresAt <= now) {
    violations.add(`${field}.expire_time`, 'must lie in the future');
  }
}

/** Nobody is of type `everyone`, so anything but the one name would be a grant to nobody. */
export function checkEveryone(subject: SubjectRef, field: string, violations: Violations): void {
  if (subject.type !== EVERYONE.type) return;
  if (subject.id === EVERYONE.id && (subject.relation ?? '') === '') return;
  violations.add(field, `must be ${EVERYONE.type}:${EVERYONE.id}, which stands for everybody`);
}

/** Notes a violation unless the filter sets at least one field: an empty one would select everything by accident. */
export function checkFilter(filter: GrantFilter, field: string, violations: Violations): void {
  if (filter.subject === undefined && filter.role === undefined && filter.resource === undefined) {
    violations.add(field, 'must set at least one of subject, role and resource');
  }
}

/** Whether the grant matches every field that the filter sets. */
export function filterSelects(filter: GrantFilter, grant: GrantDraft): boolean {
  return (
    (filter.subject === undefined || sameSubject(filter.subject, grant.subject)) &&
    (filter.role === undefined || (grant.what.kind === 'role' && grant.what.role === filter.role)) &&
    (filter.resource === undefined || (grant.resource !== undefined && sameResource(filter.resource, grant.resource)))
  );
}

export function sameSubject(left: SubjectRef, right: SubjectRef): boolean {
  return left.type === right.type && left.id === right.id && (left.relation ?? '') === (right.relation ?? '');
}

export function sameResource(left: ResourceRef, right: ResourceRef): boolean {
  return left.type === right.type && left.id === right.id;
}

/** Whether the grant counts at `now`, epoch ms. */
export function isLive(grant: GrantDraft, now: number): boolean {
  return grant.expiresAt === undefined || grant.expiresAt > now;
}
