import { stringify } from 'yaml';
import type { Policy, ResourceType, Role, Rule } from '../../domain/decision/use-cases.ts';
import { formatSubject, type SubjectRef } from '../../domain/subject.ts';
import type { PolicyTest } from './test-file.ts';

// A policy between its three forms: the domain's, the contract's JSON, and a file's YAML.

interface JsonPolicy {
  readonly roles?: readonly { name?: string; permissions?: readonly string[]; parents?: readonly string[] }[];
  readonly resourceTypes?: readonly { name?: string; parent?: string }[];
  readonly rules?: readonly JsonRule[];
}

interface JsonRule {
  readonly name?: string;
  readonly effect?: string;
  readonly permissions?: readonly string[];
  readonly subject?: { readonly type?: string; readonly id?: string; readonly relation?: string };
  readonly resourceType?: string;
  readonly condition?: string;
}

/** The JSON form of message Policy. */
export function policyToJson({ roles, resourceTypes = [], rules = [] }: Policy): object {
  return {
    roles: roles.map(({ name, permissions, inherits }) => ({ name, permissions, parents: inherits })),
    resourceTypes,
    rules: rules.map((rule) => ({ ...rule, effect: rule.effect === 'allow' ? 'EFFECT_ALLOW' : 'EFFECT_DENY' })),
  };
}

/** From the JSON form of message Policy; absent members are empty, as proto3 JSON leaves them out. */
export function policyFromJson(value: unknown): Policy {
  const { roles = [], resourceTypes = [], rules = [] } = (value ?? {}) as JsonPolicy;
  return {
    roles: roles.map(
      ({ name = '', permissions = [], parents = [] }): Role => ({ name, permissions, inherits: parents }),
    ),
    ...(resourceTypes.length === 0 ? {} : { resourceTypes: resourceTypes.map(typeFromJson) }),
    ...(rules.length === 0 ? {} : { rules: rules.map(ruleFromJson) }),
  };
}

function typeFromJson({ name = '', parent = '' }: { name?: string; parent?: string }): ResourceType {
  return parent === '' ? { name } : { name, parent };
}

/** Whatever is no allow is a deny. */
function ruleFromJson({
  name = '',
  effect,
  permissions = [],
  subject,
  resourceType = '',
  condition = '',
}: JsonRule): Rule {
  return {
    name,
    effect: effect === 'EFFECT_ALLOW' ? 'allow' : 'deny',
    permissions,
    ...(subject === undefined ? {} : { subject: subjectFromJson(subject) }),
    ...(resourceType === '' ? {} : { resourceType }),
    ...(condition === '' ? {} : { condition }),
  };
}

function subjectFromJson({ type = '', id = '', relation = '' }: NonNullable<JsonRule['subject']>): SubjectRef {
  return relation === '' ? { type, id } : { type, id, relation };
}

/** A file that `readPolicyFile` reads. */
export function policyToYaml({ roles, resourceTypes = [], rules = [] }: Policy): string {
  const byName = (entries: readonly (readonly [string, object])[]): object => Object.fromEntries(entries);
  const parts = {
    roles: byName(
      roles.map(({ name, permissions, inherits }) => [
        name,
        { permissions, ...(inherits.length === 0 ? {} : { parents: inherits }) },
      ]),
    ),
    ...(resourceTypes.length === 0
      ? {}
      : { resource_types: byName(resourceTypes.map(({ name, ...type }) => [name, type])) }),
    ...(rules.length === 0 ? {} : { rules: byName(rules.map((rule) => [rule.name, ruleToYaml(rule)])) }),
  };
  return stringify(parts, { lineWidth: 120, aliasDuplicateObjects: false });
}

function ruleToYaml({ effect, permissions, subject, resourceType, condition }: Rule): object {
  return {
    effect,
    permissions,
    ...(subject === undefined ? {} : { subject: formatSubject(subject) }),
    ...(resourceType === undefined ? {} : { resource_type: resourceType }),
    ...(condition === undefined ? {} : { condition }),
  };
}

/** The JSON form of message DecisionTest. */
export function testToJson(test: PolicyTest): object {
  const { name, subject, permission, resource, context, subjectProperties, resourceProperties, expect } = test;
  return {
    name,
    subject,
    subjectProperties,
    permission,
    resource: resource === undefined ? undefined : { ...resource, properties: resourceProperties },
    context,
    expect: expect === 'allow' ? 'EFFECT_ALLOW' : 'EFFECT_DENY',
  };
}
