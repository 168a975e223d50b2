import { Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import type { Change, Grant, GrantFilter as GrantFilterMessage } from '../../../gen/sallyport/v1/grant_pb.ts';
import type { Precondition } from '../../../gen/sallyport/v1/policy_pb.ts';
import { parsePattern } from '../../domain/decision/permission.ts';
import type {
  Grant as DomainGrant,
  GrantChange,
  GrantFilter,
  GrantPrecondition,
} from '../../domain/decision/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkType, parseSubject } from '../../domain/subject.ts';
import type { Violations } from '../../domain/violations.ts';
import { parseStoredResource } from './parse-question.ts';
import { requiredText } from './parse-text.ts';
import { parseFutureTime } from './parse-time.ts';

// WriteGrants: nothing that is not served yet is accepted and ignored.

const NOTHING: GrantChange = { kind: 'delete', grantId: '' };

export function parseChanges(changes: readonly Change[], now: number, violations: Violations): readonly GrantChange[] {
  if (changes.length === 0) violations.add('changes', 'is required: 1 to 1,000');
  if (changes.length > limits.changesPerWrite) {
    violations.add('changes', `must be at most ${limits.changesPerWrite}, were ${changes.length}`);
    return [];
  }
  return changes.map((each, index) => parseChange(each.change, `changes[${index}]`, now, violations));
}

function parseChange(change: Change['change'], field: string, now: number, violations: Violations): GrantChange {
  switch (change.case) {
    case 'putGrant':
      return { kind: 'put', grant: parseGrant(change.value, `${field}.put_grant`, now, violations) };
    case 'deleteGrantId':
      return { kind: 'delete', grantId: grantId(change.value, `${field}.delete_grant_id`, violations) };
    case 'deleteGrants':
      return {
        kind: 'delete_matching',
        filter: parseRequiredFilter(change.value, `${field}.delete_grants`, violations),
      };
    case 'putParent':
      violations.add(`${field}.put_parent`, 'is not served yet');
      return NOTHING;
    case 'deleteParent':
      violations.add(`${field}.delete_parent`, 'is not served yet');
      return NOTHING;
    case 'putAttributes':
      violations.add(`${field}.put_attributes`, 'is not served yet');
      return NOTHING;
    case undefined:
      violations.add(field, 'must hold one of put_grant, delete_grant_id, delete_grants');
      return NOTHING;
  }
}

export function parseGrant(value: Grant, field: string, now: number, violations: Violations): DomainGrant {
  if (value.condition !== '') violations.add(`${field}.condition`, 'is not served yet');
  if (value.effect !== Effect.ALLOW && value.effect !== Effect.DENY) {
    violations.add(`${field}.effect`, 'is required: EFFECT_ALLOW or EFFECT_DENY');
  }
  return {
    id: value.id === '' ? '' : grantId(value.id, `${field}.id`, violations),
    subject: parseSubject(value.subject, `${field}.subject`, violations),
    what: parseWhat(value.what, field, violations),
    resource: parseStoredResource(value.resource, `${field}.resource`, violations),
    effect: value.effect === Effect.ALLOW ? 'allow' : 'deny',
    expiresAt: parseFutureTime(value.expireTime, `${field}.expire_time`, now, violations),
  };
}

function parseWhat(what: Grant['what'], field: string, violations: Violations): DomainGrant['what'] {
  switch (what.case) {
    case 'role':
      return { kind: 'role', role: checkType(what.value, `${field}.role`, violations) };
    case 'permission':
      return { kind: 'permission', permission: parsePattern(what.value, `${field}.permission`, violations) };
    case undefined:
      violations.add(field, 'must hold one of role, permission');
      return { kind: 'role', role: '' };
  }
}

export function parsePreconditions(
  values: readonly Precondition[],
  violations: Violations,
): readonly GrantPrecondition[] {
  if (values.length > limits.preconditionsPerWrite) {
    violations.add('preconditions', `must be at most ${limits.preconditionsPerWrite}, were ${values.length}`);
    return [];
  }
  const parsed = values.map(({ condition }, index) =>
    parsePrecondition(condition, `preconditions[${index}]`, violations),
  );
  return parsed.filter((each) => each !== undefined);
}

function parsePrecondition(
  condition: Precondition['condition'],
  field: string,
  violations: Violations,
): GrantPrecondition | undefined {
  switch (condition.case) {
    case 'mustMatch':
      return { kind: 'must_match', filter: parseRequiredFilter(condition.value, `${field}.must_match`, violations) };
    case 'mustNotMatch':
      return {
        kind: 'must_not_match',
        filter: parseRequiredFilter(condition.value, `${field}.must_not_match`, violations),
      };
    case 'revisionUnchanged':
      return {
        kind: 'revision_unchanged',
        revision: requiredText(condition.value, `${field}.revision_unchanged`, ID_CHARS, violations),
      };
    case undefined:
      violations.add(field, 'must hold one of must_match, must_not_match, revision_unchanged');
      return undefined;
  }
}

/** A filter that selects; an empty one would select everything, which nobody means by a removal or a precondition. */
function parseRequiredFilter(value: GrantFilterMessage, field: string, violations: Violations): GrantFilter {
  const filter = parseFilter(value, field, violations);
  if (filter.subject === undefined && filter.role === undefined && filter.resource === undefined) {
    violations.add(field, 'must have at least one of subject, role, resource');
  }
  return filter;
}

/** Absent or empty: all. */
export function parseFilter(value: GrantFilterMessage | undefined, field: string, violations: Violations): GrantFilter {
  if (value === undefined) return {};
  return {
    subject: value.subject === undefined ? undefined : parseSubject(value.subject, `${field}.subject`, violations),
    role: value.role === '' ? undefined : checkType(value.role, `${field}.role`, violations),
    resource: parseStoredResource(value.resource, `${field}.resource`, violations),
  };
}

/** Ids are 22 or 43 characters today; more than this is none of ours. */
const ID_CHARS = 256;

function grantId(value: string, field: string, violations: Violations): string {
  return requiredText(value, field, ID_CHARS, violations);
}
