import type { Json } from '../storage.ts';
import { decodeSubject, effectOf, encodeSubject, list, members, only, text } from './stored-members.ts';
import type { Policy, ResourceType, Role, Rule } from './use-cases.ts';

// A policy as the log, snapshots and kept versions hold it.

export function encodePolicy(policy: Policy): Json {
  return {
    roles: policy.roles.map(({ name, permissions, inherits }) => ({
      name,
      permissions: [...permissions],
      inherits: [...inherits],
    })),
    ...listed('resourceTypes', (policy.resourceTypes ?? []).map(encodeResourceType)),
    ...listed('rules', (policy.rules ?? []).map(encodeRule)),
  };
}

/** Left out when there is nothing in it, as in policies written before there was such a thing. */
function listed(name: string, values: readonly Json[]): { readonly [name: string]: Json } {
  return values.length === 0 ? {} : { [name]: [...values] };
}

/** Throws UnreadableEntryError for anything but what `encodePolicy` makes. */
export function decodePolicy(value: Json | undefined): Policy {
  const policy = members(value, 'policy');
  only(policy, 'policy', ['roles', 'resourceTypes', 'rules']);
  const { resourceTypes, rules } = policy as { resourceTypes?: Json; rules?: Json };
  return {
    roles: list(policy['roles'], 'roles').map(decodeRole),
    ...(resourceTypes === undefined
      ? {}
      : { resourceTypes: list(resourceTypes, 'resource types').map(decodeResourceType) }),
    ...(rules === undefined ? {} : { rules: list(rules, 'rules').map(decodeRule) }),
  };
}

function encodeResourceType({ name, parent }: ResourceType): Json {
  return { name, ...(parent === undefined ? {} : { parent }) };
}

function decodeResourceType(value: Json): ResourceType {
  const type = members(value, 'resource type');
  only(type, 'resource type', ['name', 'parent']);
  const name = text(type['name'], 'name');
  return type['parent'] === undefined ? { name } : { name, parent: text(type['parent'], 'parent') };
}

function encodeRule({ name, effect, permissions, subject, resourceType, condition }: Rule): Json {
  return {
    name,
    effect,
    permissions: [...permissions],
    ...(subject === undefined ? {} : { subject: encodeSubject(subject) }),
    ...(resourceType === undefined ? {} : { resourceType }),
    ...(condition === undefined ? {} : { condition }),
  };
}

function decodeRule(value: Json): Rule {
  const rule = members(value, 'rule');
  only(rule, 'rule', ['name', 'effect', 'permissions', 'subject', 'resourceType', 'condition']);
  return {
    name: text(rule['name'], 'name'),
    effect: effectOf(rule['effect']),
    permissions: list(rule['permissions'], 'permissions').map((permission) => text(permission, 'permission')),
    ...(rule['subject'] === undefined ? {} : { subject: decodeSubject(rule['subject'], 'subject') }),
    ...(rule['resourceType'] === undefined ? {} : { resourceType: text(rule['resourceType'], 'resource type') }),
    ...(rule['condition'] === undefined ? {} : { condition: text(rule['condition'], 'condition') }),
  };
}

function decodeRole(value: Json): Role {
  const role = members(value, 'role');
  only(role, 'role', ['name', 'permissions', 'inherits']);
  return {
    name: text(role['name'], 'name'),
    permissions: list(role['permissions'], 'permissions').map((permission) => text(permission, 'permission')),
    inherits: list(role['inherits'], 'inherits').map((parent) => text(parent, 'inherited role')),
  };
}
