import type { EffectHandler } from '../outbox.ts';
import type { Replicas } from '../replica.ts';
import type { Effect } from '../storage.ts';
import { SYSTEM_TENANT } from './tenant.ts';

// A change of a tenant is announced in `revocation/sallyport`, which every replica follows all the time, whichever tenants it has in
// memory. It rides in the tenant's document: a kill between the write and the announcement leaves it for the sweeper, and until
// then replicas that do not know of it go on with settings that they read again every five seconds.

export const TENANT_CHANGED_EFFECT = 'tenant_changed';

/** `now`, epoch ms, keeps two changes apart while both are pending. */
export function tenantChangedEffect(tenant: string, now: number): Effect {
  return { id: `tenant_changed:${tenant}:${now}`, kind: TENANT_CHANGED_EFFECT, until: now };
}

/** Performs effects of kind `tenant_changed`; for the handlers of createOutbox. */
export function createTenantChangedHandler(replicas: Replicas): EffectHandler {
  return async (document, effect, signal) => {
    const until = typeof effect['until'] === 'number' ? effect['until'] : 0;
    await replicas.revoke(SYSTEM_TENANT, [{ kind: 'tenant', id: document.id, until }], signal);
  };
}
