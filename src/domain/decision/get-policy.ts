import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { TenantReplica } from '../replica.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { PolicyState } from './decision-index.ts';
import type { PolicyPorts } from './decision-ports.ts';
import type { StoredPolicy } from './use-cases.ts';

/**
 * One version of the policy, or (0) that in force: the empty one, version 0, before the first. Throws TENANT_NOT_FOUND, and
 * POLICY_NOT_FOUND for a version that is not kept.
 */
export async function getPolicy(
  ports: PolicyPorts,
  call: CallContext,
  { tenant, version }: { readonly tenant: string; readonly version: number },
): Promise<StoredPolicy> {
  await requireTenant(ports.tenants, tenant, call.signal);
  const replica = await ports.replicas.load(tenant, call.signal);
  const state = version === 0 ? replica.index.policy : policyVersion(replica, version);
  return storedPolicy(replica, state);
}

/** Throws POLICY_NOT_FOUND for one that is not kept, or never was. */
export function policyVersion(replica: TenantReplica, version: number): PolicyState {
  const found = replica.index.policyVersion(version);
  if (found !== undefined) return found;
  const kept = replica.index.policyVersions(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).at(-1);
  const those = kept === undefined ? 'there is none' : `the oldest is ${kept.version}`;
  throw new DomainError('POLICY_NOT_FOUND', `policy version ${version} is not kept; ${those} (ListPolicyVersions)`);
}

/** A policy as callers see it, with the state that it was read from. */
export function storedPolicy(replica: TenantReplica, state: PolicyState): StoredPolicy {
  const { revision: _, ...about } = state;
  return { ...about, revision: replica.revisionToken() };
}
