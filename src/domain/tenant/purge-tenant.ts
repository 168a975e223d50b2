import { type RandomSource, randomId } from '../../platform/random.ts';
import type { EffectHandler } from '../outbox.ts';
import type { Replicas } from '../replica.ts';
import { type CollectionName, collectionNames, type Document, type Effect, type Store } from '../storage.ts';

// What follows the deletion of a tenant. Nobody serves it any more, so nothing is added while it is emptied.

export const PURGE_TENANT_EFFECT = 'purge_tenant';

export function purgeTenantEffect(): Effect {
  return { id: 'purge_tenant', kind: PURGE_TENANT_EFFECT };
}

const PAGE = 1_000;
/** Tenants themselves are kept under `sallyport`, and the name of this one stays. */
const PURGED = collectionNames.filter((name) => name !== 'tenants');

/**
 * Performs effects of kind `purge_tenant`; for the handlers of createOutbox. Every document of the tenant goes, its two logs are emptied, and its
 * users lose their names in audit records, which stay for their time. Cut off anywhere, it is done again from where it was.
 */
export function createPurgeTenantHandler(ports: {
  readonly store: Store;
  readonly replicas: Pick<Replicas, 'end'>;
  readonly random: RandomSource;
}): EffectHandler {
  const { store, replicas, random } = ports;
  return async ({ id: tenant }, _effect, signal) => {
    for (const name of PURGED) {
      await purge(store, name, tenant, signal, async (document) => {
        if (name !== 'users') return;
        await store.auditTrail.pseudonymize(tenant, `user:${document.id}`, `user:${randomId(random)}`, signal);
      });
    }
    await replicas.end(tenant, signal);
  };
}

/** `before`: done before each is removed, so that after a kill it is done again. */
async function purge(
  store: Store,
  name: CollectionName,
  tenant: string,
  signal: AbortSignal | undefined,
  before: (document: Document) => Promise<void>,
): Promise<void> {
  const collection = store.collection<Document>(name);
  for (;;) {
    const documents = await collection.list(tenant, { limit: PAGE }, signal);
    if (documents.length === 0) return;
    for (const document of documents) {
      await before(document);
      await collection.remove(tenant, document.id, undefined, signal);
    }
  }
}
