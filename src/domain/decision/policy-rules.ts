import { checkId, checkType, type SubjectRef } from '../subject.ts';
import type { Violations } from '../violations.ts';
import { compileCondition } from './condition.ts';
import { checkEveryone, sameSubject } from './grant.ts';
import { parsePattern, patternCovers } from './permission.ts';
import type { Policy, Rule } from './use-cases.ts';

// What the rules and resource types of a policy must be like, each fault with its place.

/** Permissions or patterns of one rule. */
export const MAX_RULE_PERMISSIONS = 100;
/** Different conditions of one policy or one write: checking one takes 0.3 ms, and decisions wait meanwhile. */
export const MAX_CONDITIONS = 100;

/** Compiles each text once. */
export class ConditionCheck {
  readonly #problems = new Map<string, string | undefined>();

  /** Notes what is wrong with a condition. */
  check(text: string | undefined, field: string, violations: Violations): void {
    if (text === undefined) return;
    if (!this.#problems.has(text)) {
      if (this.#problems.size === MAX_CONDITIONS) {
        violations.add(field, `is one condition more than ${MAX_CONDITIONS} different ones`);
        return;
      }
      const compiled = compileCondition(text);
      this.#problems.set(text, compiled.kind === 'problem' ? compiled.description : undefined);
    }
    const problem = this.#problems.get(text);
    if (problem !== undefined) violations.add(field, problem);
  }
}

/** `field` is the policy's. */
export function checkResourceTypes(policy: Policy, field: string, violations: Violations): void {
  const types = policy.resourceTypes ?? [];
  const names = new Map<string, number>();
  for (const [index, { name }] of types.entries()) {
    const place = `${field}.resource_types[${index}].name`;
    checkType(name, place, violations);
    const first = names.get(name);
    if (first === undefined) names.set(name, index);
    else violations.add(place, `is the name of ${field}.resource_types[${first}] already`);
  }
  for (const [index, { parent }] of types.entries()) {
    if (parent === undefined || names.has(parent)) continue;
    violations.add(`${field}.resource_types[${index}].parent`, 'is not a resource type of this policy');
  }
}

export function checkRules(policy: Policy, field: string, violations: Violations): void {
  const rules = policy.rules ?? [];
  const names = new Map<string, number>();
  const conditions = new ConditionCheck();
  for (const [index, rule] of rules.entries()) {
    const place = `${field}.rules[${index}]`;
    checkType(rule.name, `${place}.name`, violations);
    const first = names.get(rule.name);
    if (first === undefined) names.set(rule.name, index);
    else violations.add(`${place}.name`, `is the name of ${field}.rules[${first}] already`);
    checkPermissions(rule, place, violations);
    checkRuleSubject(policy, rule.subject, `${place}.subject`, violations);
    if (rule.resourceType !== undefined && !policy.resourceTypes?.some(({ name }) => name === rule.resourceType)) {
      violations.add(`${place}.resource_type`, 'is not a resource type of this policy');
    }
    conditions.check(rule.condition, `${place}.condition`, violations);
  }
  if (violations.count === 0) checkReachable(rules, field, violations);
}

function checkPermissions({ permissions }: Rule, place: string, violations: Violations): void {
  if (permissions.length === 0 || permissions.length > MAX_RULE_PERMISSIONS) {
    violations.add(`${place}.permissions`, `must be 1 to ${MAX_RULE_PERMISSIONS}, were ${permissions.length}`);
    return;
  }
  for (const [index, each] of permissions.entries()) parsePattern(each, `${place}.permissions[${index}]`, violations);
}

function checkRuleSubject(
  policy: Policy,
  subject: SubjectRef | undefined,
  place: string,
  violations: Violations,
): void {
  if (subject === undefined) return;
  checkType(subject.type, `${place}.type`, violations);
  checkId(subject.id, `${place}.id`, violations);
  checkEveryone(subject, place, violations);
  const { relation } = subject;
  if (relation === undefined || relation === '' || policy.roles.some(({ name }) => name === relation)) return;
  violations.add(`${place}.relation`, `\`${relation}\` is not a role of this policy`);
}

/** A rule can never decide when a deny without a condition covers all it could. Only denies shadow: nothing else wins over a rule. */
function checkReachable(rules: readonly Rule[], field: string, violations: Violations): void {
  const denies = rules.filter(({ effect, condition }) => effect === 'deny' && condition === undefined);
  for (const [index, rule] of rules.entries()) {
    if (rule.effect === 'deny') continue;
    const shadow = denies.find((deny) => covers(deny, rule));
    if (shadow === undefined) continue;
    violations.add(`${field}.rules[${index}]`, `can never allow: rule ${shadow.name} denies all of it`);
  }
}

function covers(deny: Rule, rule: Rule): boolean {
  return (
    (deny.resourceType === undefined || deny.resourceType === rule.resourceType) &&
    (deny.subject === undefined || (rule.subject !== undefined && sameSubject(deny.subject, rule.subject))) &&
    rule.permissions.every((permission) => deny.permissions.some((each) => patternCovers(each, permission)))
  );
}
