import type { CallContext } from '../call.ts';
import { limits } from '../limits.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { reachReplica } from './current-replica.ts';
import type { PolicyPorts } from './decision-ports.ts';
import type { Grant, GrantFilter } from './use-cases.ts';

/**
 * All living grants, page by page in the order in which they were first written, each page from one state. The order is that of the
 * log, the same on every replica, so a grant that lives throughout is met exactly once, whatever is written meanwhile.
 */
export async function* exportGrants(
  ports: PolicyPorts,
  call: CallContext,
  input: { readonly tenant: string; readonly filter: GrantFilter; readonly atLeastRevision: string },
): AsyncGenerator<{ readonly grants: readonly Grant[]; readonly revision: string }, void, undefined> {
  const { tenant, filter, atLeastRevision } = input;
  await requireTenant(ports.tenants, tenant, call.signal);
  let replica = await reachReplica(ports.replicas, tenant, atLeastRevision, call.signal);
  yield { grants: [], revision: replica.revisionToken() };
  for (let from: number | undefined = 0; from !== undefined; ) {
    call.signal?.throwIfAborted();
    // Taken anew for every page: the tenant may have been read again while the peer was slow.
    replica = await ports.replicas.load(tenant, call.signal);
    const { grants, next } = replica.index.list(filter, from, limits.pageSize, ports.clock.now());
    if (grants.length > 0) yield { grants, revision: replica.revisionToken() };
    from = next;
  }
}
