import type { Clock } from '../../platform/clock.ts';
import type { Store } from '../storage.ts';
import { DEFAULT_TENANT, SYSTEM_TENANT, tenantsOf } from './tenant.ts';

/** Makes the two tenants that are always there. Inserts only: repeated, or done by several replicas at once, it changes nothing. */
export async function ensureTenants(
  ports: { readonly store: Store; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<void> {
  const tenants = tenantsOf(ports.store);
  const now = ports.clock.now();
  for (const id of [DEFAULT_TENANT, SYSTEM_TENANT]) {
    const draft = { tenant: SYSTEM_TENANT, id, schema: 1, keys: [id], createdAt: now, updatedAt: now, settings: {} };
    await tenants.insert({ ...draft, status: 'active' }, signal);
  }
}
