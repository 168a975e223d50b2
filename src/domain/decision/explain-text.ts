import { formatResource, formatSubject } from '../subject.ts';
import type { DecisionState } from './decision-request.ts';
import type { ContextualGrant, Grant, Rule } from './use-cases.ts';

type AnyGrant = Grant | ContextualGrant;

/** `user:7 holds role editor on document:42 by grant g1`. */
export function grantText(grant: AnyGrant): string {
  const verb = grant.effect === 'deny' ? 'is denied' : grant.what.kind === 'role' ? 'holds' : 'is granted';
  const by = 'id' in grant ? ` by grant ${grant.id}` : '';
  const condition = 'condition' in grant && grant.condition !== undefined ? `, as ${grant.condition}` : '';
  return `${formatSubject(grant.subject)} ${verb} ${whatText(grant)}${placeText(grant)}${by}${untilText(grant)}${condition}`;
}

export function whatText(grant: AnyGrant): string {
  return grant.what.kind === 'role' ? `role ${grant.what.role}` : `permission ${grant.what.permission}`;
}

export function placeText(grant: AnyGrant): string {
  return grant.resource === undefined ? '' : ` on ${formatResource(grant.resource)}`;
}

export function untilText(grant: AnyGrant): string {
  return grant.expiresAt === undefined ? '' : `, until ${new Date(grant.expiresAt).toISOString()}`;
}

export function roleName(state: DecisionState, number: number): string {
  const what = state.grants.whats.what(number);
  return what.kind === 'role' ? what.role : what.permission;
}

export function ruleText({ name, effect, permissions, subject, resourceType, condition }: Rule): string {
  const verb = effect === 'allow' ? 'allows' : 'denies';
  const whom = subject === undefined ? 'everybody' : formatSubject(subject);
  const where = resourceType === undefined ? '' : ` on resources of type ${resourceType}`;
  return `rule ${name} ${verb} ${whom} ${permissions.join(', ')}${where}${condition === undefined ? '' : `, as ${condition}`}`;
}
