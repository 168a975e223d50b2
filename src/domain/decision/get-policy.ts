import type { CallContext } from '../call.ts';
import type { TenantReplica } from '../replica.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { PolicyPorts } from './decision-ports.ts';
import { policyEtag } from './policy.ts';
import type { StoredPolicy } from './use-cases.ts';

/** The policy in force; the empty one, version 0, before the first. Throws TENANT_NOT_FOUND. */
export async function getPolicy(ports: PolicyPorts, call: CallContext, tenant: string): Promise<StoredPolicy> {
  await requireTenant(ports.tenants, tenant, call.signal);
  return storedPolicy(await ports.replicas.load(tenant, call.signal));
}

/** The policy of a state, as callers see it. */
export function storedPolicy(replica: TenantReplica): StoredPolicy {
  const { policy, version, appliedAt } = replica.index.policy;
  return { policy, version, etag: policyEtag(policy, version), revision: replica.revisionToken(), appliedAt };
}
