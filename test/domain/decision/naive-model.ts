import type { DecisionQuestion } from '../../../src/domain/decision/decision-index.ts';
import type { PolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import type { Grant, GrantFilter, Policy } from '../../../src/domain/decision/use-cases.ts';

// What the index must be equal to, written to be read: lists and loops over everything, and no import from what it checks.

export interface NaiveDecision {
  readonly effect: string;
  readonly reason: string;
  readonly expiresAt: number | undefined;
  readonly grantIds: readonly string[] | undefined;
}

export interface NaiveModel {
  readonly grants: readonly Grant[];
  apply(entry: PolicyEntry): void;
  decide(question: DecisionQuestion, now: number): NaiveDecision;
  list(filter: GrantFilter, now: number): readonly Grant[];
}

export function createNaiveModel(tenant: string, builtIn: Policy): NaiveModel {
  let policy: Policy = tenant === 'sallyport' ? builtIn : { roles: [] };
  let grants: Grant[] = [];
  const disabled = new Set<string>();

  const decide = (question: DecisionQuestion, now: number): NaiveDecision => {
    const no = (reason: string): NaiveDecision => ({
      effect: 'deny',
      reason,
      expiresAt: undefined,
      grantIds: undefined,
    });
    if (disabled.has(question.subject.id)) return no('SUBJECT_DISABLED');
    const { scopes } = question;
    if (scopes !== undefined && !scopes.some((scope) => matches(scope, question.permission))) return no('OUT_OF_SCOPE');
    const live = grants.filter((grant) => grant.expiresAt === undefined || grant.expiresAt > now);
    const mine = live.filter((grant) => same(grant.subject, question.subject));
    const denies = mine.filter(
      (grant) =>
        grant.effect === 'deny' && reaches(tenant, grant, question) && covers(policy, grant, question.permission, true),
    );
    const allows = mine.filter(
      (grant) =>
        grant.effect === 'allow' &&
        reaches(tenant, grant, question) &&
        covers(policy, grant, question.permission, false),
    );
    const allowEnd = Math.min(lastEnd(allows), question.credentialExpiresAt ?? Infinity);
    if (denies.length > 0) {
      const end = lastEnd(denies);
      return {
        effect: 'deny',
        reason: 'DENIED_BY_RULE',
        expiresAt: end < allowEnd ? end : undefined,
        grantIds: idsOf(denies),
      };
    }
    if (allows.length > 0) {
      return {
        effect: 'allow',
        reason: 'GRANTED',
        expiresAt: allowEnd === Infinity ? undefined : allowEnd,
        grantIds: idsOf(allows),
      };
    }
    const names = [
      ...policy.roles.flatMap((role) => role.permissions),
      ...grants.flatMap(({ what }) => (what.kind === 'permission' ? [what.permission] : [])),
    ];
    return no(names.some((name) => matches(name, question.permission)) ? 'NO_MATCH' : 'UNKNOWN_PERMISSION');
  };

  return {
    get grants() {
      return grants;
    },
    decide,
    list: (filter, now) =>
      grants.filter((grant) => (grant.expiresAt === undefined || grant.expiresAt > now) && selects(filter, grant)),
    apply: (entry) => {
      if (entry.kind === 'policy' && tenant !== 'sallyport') policy = entry.policy;
      if (entry.kind === 'subject' && entry.disabled) disabled.add(entry.subject.id);
      if (entry.kind === 'subject' && !entry.disabled) disabled.delete(entry.subject.id);
      if (entry.kind !== 'grants') return;
      for (const change of entry.changes) {
        if (change.kind === 'delete') grants = grants.filter(({ id }) => id !== change.grantId);
        else if (change.kind === 'delete_matching') grants = grants.filter((grant) => !selects(change.filter, grant));
        else if (grants.some(({ id }) => id === change.grant.id)) {
          grants = grants.map((grant) => (grant.id === change.grant.id ? change.grant : grant));
        } else grants = [...grants, change.grant];
      }
    },
  };
}

function matches(pattern: string, permission: string): boolean {
  const parts = pattern.split(':');
  const text = parts.map((part, index) => {
    if (part !== '*') return part;
    return index === parts.length - 1 ? '[^:]+(:[^:]+)*' : '[^:]+';
  });
  return new RegExp(`^${text.join(':')}$`).test(permission);
}

function same(left: { type: string; id: string }, right: { type: string; id: string }): boolean {
  return left.type === right.type && left.id === right.id;
}

function reaches(tenant: string, grant: Grant, { resource }: DecisionQuestion): boolean {
  if (grant.resource !== undefined) return resource !== undefined && same(grant.resource, resource);
  const isSystem = tenant === 'sallyport' && resource?.type === 'tenant' && resource.id === 'sallyport';
  return grant.effect === 'deny' || !isSystem;
}

function covers(policy: Policy, grant: Grant, permission: string, ifUnknown: boolean): boolean {
  if (grant.what.kind === 'permission') return matches(grant.what.permission, permission);
  const { role: name } = grant.what;
  return policy.roles.some((role) => role.name === name) ? roleCovers(policy, name, permission) : ifUnknown;
}

function roleCovers(policy: Policy, name: string, permission: string): boolean {
  const role = policy.roles.find((each) => each.name === name);
  if (role === undefined) return false;
  return (
    role.permissions.some((pattern) => matches(pattern, permission)) ||
    role.inherits.some((parent) => roleCovers(policy, parent, permission))
  );
}

function lastEnd(grants: readonly Grant[]): number {
  return Math.max(0, ...grants.map((grant) => grant.expiresAt ?? Infinity));
}

function idsOf(grants: readonly Grant[]): readonly string[] {
  return grants.map(({ id }) => id).toSorted();
}

function selects(filter: GrantFilter, grant: Grant): boolean {
  return (
    (filter.subject === undefined || same(filter.subject, grant.subject)) &&
    (filter.role === undefined || (grant.what.kind === 'role' && grant.what.role === filter.role)) &&
    (filter.resource === undefined || (grant.resource !== undefined && same(filter.resource, grant.resource)))
  );
}
