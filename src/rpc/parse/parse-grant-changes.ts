import { Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import type {
  Change,
  Grant,
  GrantFilter as GrantFilterMessage,
  ParentLink,
  SubjectAttributes,
} from '../../../gen/sallyport/v1/grant_pb.ts';
import type { Precondition } from '../../../gen/sallyport/v1/policy_pb.ts';
import type { Resource } from '../../../gen/sallyport/v1/subject_pb.ts';
import { checkEveryone } from '../../domain/decision/grant.ts';
import { parsePattern } from '../../domain/decision/permission.ts';
import type {
  ContextualGrant,
  Grant as DomainGrant,
  GrantChange,
  GrantFilter,
  GrantPrecondition,
} from '../../domain/decision/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { checkType, parseSubject, type ResourceRef } from '../../domain/subject.ts';
import type { Violations } from '../../domain/violations.ts';
import { parseAttributes } from './parse-attributes.ts';
import { parseCondition } from './parse-condition.ts';
import { parseSingleSubject } from './parse-principal.ts';
import { parseStoredResource } from './parse-question.ts';
import { requiredText } from './parse-text.ts';
import { parseFutureTime } from './parse-time.ts';

// The changes of WriteGrants, and grants that come with a question.

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
      return { kind: 'put_parent', ...parseLink(change.value, `${field}.put_parent`, violations) };
    case 'deleteParent':
      return { kind: 'delete_parent', ...parseLink(change.value, `${field}.delete_parent`, violations) };
    case 'putAttributes':
      return parsePutAttributes(change.value, `${field}.put_attributes`, violations);
    case undefined:
      violations.add(
        field,
        'must hold one of put_grant, delete_grant_id, put_parent, delete_parent, put_attributes, delete_grants',
      );
      return NOTHING;
  }
}

export function parseGrant(value: Grant, field: string, now: number, violations: Violations): DomainGrant {
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
    ...parseCondition(value.condition, `${field}.condition`, violations),
  };
}

/** Grants that count for one request. */
export function parseContextualGrants(
  values: readonly Grant[],
  now: number,
  violations: Violations,
): readonly ContextualGrant[] | undefined {
  if (values.length === 0) return undefined;
  if (values.length > limits.contextualGrants) {
    violations.add('contextual_grants', `must be at most ${limits.contextualGrants}, were ${values.length}`);
    return undefined;
  }
  return values.map((value, index) => {
    const field = `contextual_grants[${index}]`;
    if (value.id !== '') violations.add(`${field}.id`, 'must be empty: only stored grants have one');
    if (value.condition !== '')
      violations.add(`${field}.condition`, 'must be empty: leave out a grant that does not apply');
    const { subject, what, resource, effect, expiresAt } = parseGrant(value, field, now, violations);
    checkEveryone(subject, `${field}.subject`, violations);
    return { subject, what, resource, effect, expiresAt };
  });
}

function parseLink(
  value: ParentLink,
  field: string,
  violations: Violations,
): { child: ResourceRef; parent: ResourceRef } {
  return {
    child: requiredResource(value.child, `${field}.child`, violations),
    parent: requiredResource(value.parent, `${field}.parent`, violations),
  };
}

function requiredResource(value: Resource | undefined, field: string, violations: Violations): ResourceRef {
  const parsed = parseStoredResource(value, field, violations);
  if (parsed === undefined) violations.add(field, 'is required, for example {"type": "document", "id": "42"}');
  return parsed ?? { type: '', id: '' };
}

function parsePutAttributes(value: SubjectAttributes, field: string, violations: Violations): GrantChange {
  const attributes = parseAttributes(value.attributes, `${field}.attributes`, violations, limits.attributesBytes);
  return {
    kind: 'put_attributes',
    subject: parseSingleSubject(value.subject, `${field}.subject`, violations),
    // As JSON has it: -0 is 0.
    attributes: JSON.parse(JSON.stringify(attributes)),
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
