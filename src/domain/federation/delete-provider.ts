import { providerEvent } from '../audit/federation-events.ts';
import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { FederationPorts } from './federation-ports.ts';
import { etagOf, type ProviderDocument, providerChanged, providerNotFound, providersOf } from './provider.ts';

/**
 * Removes a provider. The swap that decides lets the document expire, takes the secret out and records the event; from then on nobody reads
 * it. A kill before the removal leaves it to the sweeper. Links of accounts stay: they are by issuer.
 * Throws TENANT_NOT_FOUND, PROVIDER_NOT_FOUND, PRECONDITION_FAILED.
 */
export async function deleteProvider(
  ports: FederationPorts,
  call: CallContext,
  tenant: string,
  providerId: string,
  etag: string,
): Promise<void> {
  await requireTenant(ports.tenants, tenant, call.signal);
  const providers = providersOf(ports.store);
  const now = ports.clock.now();
  const written = await ports.updates.update<ProviderDocument, 'deleted' | 'gone' | 'changed'>(
    'providers',
    providers,
    tenant,
    providerId,
    (current) => {
      if (current === undefined) return { kind: 'keep', result: 'gone' };
      if (etag !== '' && etag !== etagOf(current)) return { kind: 'keep', result: 'changed' };
      const outbox = [...(current.outbox ?? []), providerEvent('provider.deleted', call, current, now)];
      const draft = { ...current, disabled: true, sealedSecret: '', redirectUris: [], expiresAt: now, outbox };
      return { kind: 'write', draft, result: 'deleted' };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.document === undefined || written.result === 'gone') throw providerNotFound();
  if (written.result === 'changed') throw providerChanged();
  await ports.outbox.settle('providers', written.document, call.signal);
  await providers.remove(tenant, providerId, written.document.version, call.signal);
}
