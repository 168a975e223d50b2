import { stringify } from 'yaml';
import type { Policy } from '../../domain/decision/use-cases.ts';

// A policy between its three forms: the domain's, the contract's JSON, and a file's YAML.

interface JsonRole {
  readonly name?: string;
  readonly permissions?: readonly string[];
  readonly parents?: readonly string[];
}

/** The JSON form of message Policy. */
export function policyToJson(policy: Policy): object {
  return { roles: policy.roles.map(({ name, permissions, inherits }) => ({ name, permissions, parents: inherits })) };
}

/** From the JSON form of message Policy; absent members are empty, as proto3 JSON leaves them out. */
export function policyFromJson(value: unknown): Policy {
  const roles = ((value as { roles?: readonly JsonRole[] } | undefined)?.roles ?? []).map((role) => ({
    name: role.name ?? '',
    permissions: role.permissions ?? [],
    inherits: role.parents ?? [],
  }));
  return { roles };
}

/** A file that `readPolicyFile` reads. */
export function policyToYaml(policy: Policy): string {
  const roles = policy.roles.map(({ name, permissions, inherits }) => [
    name,
    { permissions, ...(inherits.length === 0 ? {} : { parents: inherits }) },
  ]);
  return stringify({ roles: Object.fromEntries(roles) }, { lineWidth: 120 });
}
