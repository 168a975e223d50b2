import type { Clock } from '../../platform/clock.ts';
import type { Store } from '../storage.ts';
import { DEFAULT_TENANT, SYSTEM_TENANT, type TenantDocument } from './tenant.ts';

/** Makes the two tenants that are always there. Inserts only: repeated, or done by several replicas at once, it changes nothing. */
export async function ensureTenants(
  ports: { readonly store: Store; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<void> {
  const tenants = ports.store.collection<TenantDocument>('tenants');
  for (const id of [DEFAULT_TENANT, SYSTEM_TENANT]) {
    await tenants.insert({ tenant: id, id, schema: 1, keys: [id], createdAt: ports.clock.now(), settings: {} }, signal);
  }
}
