import type { Clock } from '../../platform/clock.ts';
import type { Caller } from '../call.ts';
import type { Replicas, TenantReplica } from '../replica.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import type { PermitCaller } from './caller-ports.ts';

/** Decides from the index of tenant `sallyport`, like any other question; without a promise once that tenant is in memory. */
export function createPermitCaller(ports: { readonly replicas: Replicas; readonly clock: Clock }): PermitCaller {
  const { replicas, clock } = ports;
  const allowed = (replica: TenantReplica, caller: Caller, permission: string, tenant: string): boolean => {
    const { subject, scopes } = caller;
    const resource = { type: 'tenant', id: tenant };
    return replica.index.decide({ subject, scopes, permission, resource }, clock.now()).effect === 'allow';
  };
  return (caller, permission, tenant, signal) => {
    const replica = replicas.peek(SYSTEM_TENANT);
    if (replica !== undefined) return allowed(replica, caller, permission, tenant);
    return replicas.load(SYSTEM_TENANT, signal()).then((loaded) => allowed(loaded, caller, permission, tenant));
  };
}
