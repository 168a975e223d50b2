import type { JsonObject } from '@bufbuild/protobuf';
import { Effect } from '../../../gen/sallyport/v1/decision_pb.ts';
import type {
  ApplyPolicyRequest,
  DecisionTest as DecisionTestMessage,
  GetPolicyRequest,
  ListPolicyVersionsRequest,
  Policy as PolicyMessage,
  Rule as RuleMessage,
} from '../../../gen/sallyport/v1/policy_pb.ts';
import { parsePermission } from '../../domain/decision/permission.ts';
import type { DecisionTest, DecisionUseCases, Policy, PolicySource, Rule } from '../../domain/decision/use-cases.ts';
import { limits } from '../../domain/limits.ts';
import { parseResource, parseSubject } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { parseAttributes } from './parse-attributes.ts';
import { parseCondition } from './parse-condition.ts';
import { parsePage } from './parse-page.ts';
import { parseSingleSubject } from './parse-principal.ts';
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
    comment: optionalText(request.comment, 'comment', limits.commentChars, violations),
    tests: parseTests(request.tests, violations),
  };
  violations.throwIfAny();
  return input;
}

export function parseGetPolicy(request: GetPolicyRequest): Parameters<DecisionUseCases['getPolicy']>[1] {
  const violations = new Violations();
  const { version } = request;
  const tenant = parseTenantId(request.tenant, violations);
  if (version < 0) violations.add('version', 'must be a version of the policy, or 0 for that in force');
  violations.throwIfAny();
  return { tenant, version };
}

export function parseListVersions(
  request: ListPolicyVersionsRequest,
): Parameters<DecisionUseCases['listPolicyVersions']>[1] {
  const violations = new Violations();
  const tenant = parseTenantId(request.tenant, violations);
  const { size, token } = parsePage(request, violations);
  violations.throwIfAny();
  return { tenant, pageSize: size, pageToken: token };
}

function parseTests(tests: readonly DecisionTestMessage[], violations: Violations): readonly DecisionTest[] {
  if (tests.length > limits.batchItems) {
    violations.add('tests', `must be at most ${limits.batchItems}, were ${tests.length}`);
    return [];
  }
  return tests.map((test, index) => {
    const field = `tests[${index}]`;
    const attributes = (value: JsonObject | undefined, name: string) =>
      value === undefined ? undefined : parseAttributes(value, `${field}.${name}`, violations);
    return {
      name: optionalText(test.name, `${field}.name`, limits.displayNameChars, violations),
      subject: parseSingleSubject(test.subject, `${field}.subject`, violations),
      permission: parsePermission(test.permission, `${field}.permission`, violations),
      resource: parseResource(test.resource, `${field}.resource`, violations),
      context: attributes(test.context, 'context'),
      subjectProperties: attributes(test.subjectProperties, 'subject_properties'),
      resourceProperties: attributes(test.resource?.properties, 'resource.properties'),
      expect: test.expect === Effect.UNSPECIFIED ? undefined : test.expect === Effect.ALLOW ? 'allow' : 'deny',
    };
  });
}

function parseSource({ policy, yaml, restoreVersion }: ApplyPolicyRequest, violations: Violations): PolicySource {
  const given = [policy !== undefined, yaml !== '', restoreVersion !== 0].filter(Boolean).length;
  if (given !== 1) {
    const together =
      given > 1 ? 'must not come together with yaml or restore_version, nor these two together' : undefined;
    violations.add('policy', together ?? 'is required: the whole policy; or else one of yaml and restore_version');
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
