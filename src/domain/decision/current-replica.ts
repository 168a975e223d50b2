import type { Replicas, TenantReplica } from '../replica.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import { parseRevision, revisionsBehind } from './revision-token.ts';

/** Field of the request that a malformed token is reported for. */
const FIELD = 'at_least_revision';

/**
 * The tenant's state if it is in memory and new enough; undefined: it takes waiting. Throws INDEX_STALE, and INVALID_ARGUMENT or
 * REVISION_UNKNOWN for `atLeastRevision`, which may be empty.
 */
export function currentReplica(
  ports: { readonly replicas: Replicas; readonly tenants: TenantDirectory },
  tenant: string,
  atLeastRevision: string,
): TenantReplica | undefined {
  if (ports.tenants.peek(tenant) === undefined) return undefined;
  const replica = ports.replicas.peek(tenant);
  if (replica === undefined || atLeastRevision === '') return replica;
  const wanted = parseRevision(atLeastRevision, FIELD);
  return revisionsBehind(parseRevision(replica.revisionToken(), FIELD), wanted) > 0 ? undefined : replica;
}

/** The same, with the waiting that it takes. Throws UNAVAILABLE when the revision is not there. The tenant must exist. */
export async function reachReplica(
  replicas: Replicas,
  tenant: string,
  atLeastRevision: string,
  signal: AbortSignal | undefined,
): Promise<TenantReplica> {
  if (atLeastRevision === '') return replicas.load(tenant, signal);
  return replicas.reach(tenant, atLeastRevision, signal);
}
