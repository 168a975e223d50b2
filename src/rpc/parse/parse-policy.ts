import { Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import type {
  ApplyPolicyRequest,
  Policy as PolicyMessage,
  Rule as RuleMessage,
} from '../../../gen/sallyport/v1/policy_pb.ts';
import type { DecisionUseCases, Policy, PolicySource, Rule } from '../../domain/decision/use-cases.ts';
import { parseSubject } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parseCondition } from './parse-condition.ts';
import { optionalText } from './parse-text.ts';

type ApplyPolicyInput = Parameters<DecisionUseCases['applyPolicy']>[1];

/** Etags are ours; what is longer is not. */
const ETAG_CHARS = 1024;

/** What holds a policy together (names, patterns, parents, conditions) its use case checks as a whole. */
export function parseApplyPolicy(request: ApplyPolicyRequest): ApplyPolicyInput {
  const violations = new Violations();
  const input: ApplyPolicyInput = {
    tenant: parseTenantId(request.tenant, violations),
    source: parseSource(request, violations),
    etag: optionalText(request.etag, 'etag', ETAG_CHARS, violations),
    dryRun: request.dryRun,
  };
  violations.throwIfAny();
  return input;
}

function parseSource({ policy, yaml, restoreVersion }: ApplyPolicyRequest, violations: Violations): PolicySource {
  const given = [policy !== undefined, yaml !== '', restoreVersion !== 0].filter(Boolean).length;
  if (given !== 1) {
    violations.add('policy', 'is required: the whole policy; or else one of yaml and restore_version');
  }
  if (restoreVersion < 0) violations.add('restore_version', 'must be a version of the policy');
  if (yaml !== '') return { kind: 'yaml', text: yaml };
  if (restoreVersion !== 0) return { kind: 'version', version: restoreVersion };
  return { kind: 'policy', policy: parsePolicy(policy, violations) };
}

function parsePolicy(value: PolicyMessage | undefined, violations: Violations): Policy {
  const { roles = [], resourceTypes = [], rules = [] } = value ?? {};
  return {
    roles: roles.map(({ name, permissions, parents }) => ({ name, permissions, inherits: parents })),
    ...(resourceTypes.length === 0
      ? {}
      : { resourceTypes: resourceTypes.map(({ name, parent }) => (parent === '' ? { name } : { name, parent })) }),
    ...(rules.length === 0
      ? {}
      : { rules: rules.map((rule, index) => parseRule(rule, `policy.rules[${index}]`, violations)) }),
  };
}

function parseRule(rule: RuleMessage, field: string, violations: Violations): Rule {
  const { name, effect, permissions, subject, resourceType, condition } = rule;
  if (effect !== Effect.ALLOW && effect !== Effect.DENY) {
    violations.add(`${field}.effect`, 'is required: EFFECT_ALLOW or EFFECT_DENY');
  }
  return {
    name,
    effect: effect === Effect.ALLOW ? 'allow' : 'deny',
    permissions,
    ...(subject === undefined ? {} : { subject: parseSubject(subject, `${field}.subject`, violations) }),
    ...(resourceType === '' ? {} : { resourceType }),
    ...parseCondition(condition, `${field}.condition`, violations),
  };
}
