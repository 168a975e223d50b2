import { hash } from 'node:crypto';
import { canonicalJson } from '../../platform/json.ts';
import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { checkType } from '../subject.ts';
import type { Violations } from '../violations.ts';
import { parsePattern } from './permission.ts';
import { checkResourceTypes, checkRules } from './policy-rules.ts';
import type { Policy, Role } from './use-cases.ts';

// A policy is checked as a whole when it is applied, so that a decision never meets a role that does not hold together.

/** Roles of one policy. */
export const MAX_ROLES = 1000;
export const MAX_RESOURCE_TYPES = 1000;
export const MAX_RULES = 1000;
/** Permissions or patterns of one role. */
export const MAX_ROLE_PERMISSIONS = 1000;
/** Roles that one role names as its parents. */
export const MAX_ROLE_PARENTS = 32;
/** Canonical JSON of one policy, in UTF-8 bytes: it must fit into one chunk of a checkpoint. */
export const MAX_POLICY_BYTES = 768 * 1024;

export const emptyPolicy: Policy = { roles: [] };

/**
 * Notes what is wrong with a policy, each fault with its place below `field` (`policy.roles[2].parents[0]`). Throws LIMIT_EXCEEDED
 * for one that is too large to look at.
 */
export function checkPolicy(policy: Policy, field: string, violations: Violations): void {
  if (policy.roles.length > MAX_ROLES) tooLarge('policyRoles', `a policy has at most ${MAX_ROLES} roles`);
  if ((policy.resourceTypes?.length ?? 0) > MAX_RESOURCE_TYPES) {
    tooLarge('policyResourceTypes', `a policy has at most ${MAX_RESOURCE_TYPES} resource types`);
  }
  if ((policy.rules?.length ?? 0) > MAX_RULES) tooLarge('policyRules', `a policy has at most ${MAX_RULES} rules`);
  const roles = new Map<string, number>();
  for (const [index, role] of policy.roles.entries()) {
    const place = `${field}.roles[${index}]`;
    checkType(role.name, `${place}.name`, violations);
    const first = roles.get(role.name);
    if (first === undefined) roles.set(role.name, index);
    else violations.add(`${place}.name`, `is the name of ${field}.roles[${first}] already`);
    checkRole(role, place, violations);
  }
  for (const [index, role] of policy.roles.entries()) {
    for (const [position, parent] of role.inherits.entries()) {
      if (!roles.has(parent)) {
        violations.add(`${field}.roles[${index}].parents[${position}]`, 'is not a role of this policy');
      }
    }
  }
  checkResourceTypes(policy, field, violations);
  if (violations.count === 0) checkRules(policy, field, violations);
  if (violations.count > 0) return;
  checkInheritance(policy, field, violations);
  if (Buffer.byteLength(canonicalJson(policy, 'policy')) > MAX_POLICY_BYTES) {
    tooLarge('policyBytes', `a policy has at most ${MAX_POLICY_BYTES} bytes`);
  }
}

/** The same for policies that say the same, whatever order an object was built in. */
export function policyDigest(policy: Policy): string {
  return hash('sha256', canonicalJson(normalized(policy), 'policy'), 'base64url');
}

/** Changes with every version, and tells versions of other content apart. Empty: there is no policy yet. */
export function policyEtag(policy: Policy, version: number): string {
  return version === 0 ? '0' : `${version}-${policyDigest(policy).slice(0, 16)}`;
}

/** Order carries no meaning, neither that of roles nor that of a role's permissions. */
function normalized(policy: Policy): Policy {
  const roles = policy.roles.map(({ name, permissions, inherits }) => ({
    name,
    permissions: [...new Set(permissions)].sort(),
    inherits: [...new Set(inherits)].sort(),
  }));
  const types = [...(policy.resourceTypes ?? [])].sort(byName);
  const rules = (policy.rules ?? []).map((rule) => ({ ...rule, permissions: [...new Set(rule.permissions)].sort() }));
  return {
    roles: roles.sort(byName),
    ...(types.length === 0 ? {} : { resourceTypes: types }),
    ...(rules.length === 0 ? {} : { rules: rules.sort(byName) }),
  };
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}

function checkRole(role: Role, place: string, violations: Violations): void {
  if (role.permissions.length > MAX_ROLE_PERMISSIONS) {
    violations.add(`${place}.permissions`, `must be at most ${MAX_ROLE_PERMISSIONS}, were ${role.permissions.length}`);
    return;
  }
  if (role.inherits.length > MAX_ROLE_PARENTS) {
    violations.add(`${place}.parents`, `must be at most ${MAX_ROLE_PARENTS}, were ${role.inherits.length}`);
  }
  for (const [index, permission] of role.permissions.entries()) {
    parsePattern(permission, `${place}.permissions[${index}]`, violations);
  }
}

/** Finds cycles and chains that are too long. At most 1,000 roles deep, which the stack holds. */
function checkInheritance(policy: Policy, field: string, violations: Violations): void {
  const roles = new Map(policy.roles.map((role, index) => [role.name, { role, index }]));
  /** Edges below a role, once known. */
  const depths = new Map<string, number>();
  const path: string[] = [];
  const depthOf = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const found = roles.get(name);
    if (found === undefined) return 0;
    const begin = path.indexOf(name);
    if (begin >= 0) {
      violations.add(
        `${field}.roles[${found.index}].parents`,
        `form a cycle: ${cycleText([...path.slice(begin), name])}`,
      );
      return 0;
    }
    path.push(name);
    let depth = 0;
    for (const parent of found.role.inherits) depth = Math.max(depth, 1 + depthOf(parent));
    path.pop();
    depths.set(name, depth);
    if (depth === limits.roleDepth + 1) {
      violations.add(`${field}.roles[${found.index}].parents`, `inherit over more than ${limits.roleDepth} levels`);
    }
    return depth;
  };
  for (const role of policy.roles) depthOf(role.name);
}

function cycleText(names: readonly string[]): string {
  const shown = names.length <= 8 ? names : [...names.slice(0, 4), '...', ...names.slice(-3)];
  return shown.join(' -> ');
}

function tooLarge(limit: string, message: string): never {
  throw new DomainError('LIMIT_EXCEEDED', message, { metadata: { limit } });
}
