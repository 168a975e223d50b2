import type { Clock } from '../../platform/clock.ts';
import { apiKeyEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { REMEMBERED_MS, revokeEffect, type Settle } from '../session/revocation.ts';
import type { Store } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { TenantDirectory } from '../tenant/tenant.ts';
import type { Updates } from '../update.ts';
import { revokedApiKey } from './api-key.ts';
import type { ApiKeyDocument } from './use-cases.ts';

export interface RevokeApiKeyPorts {
  readonly store: Store;
  readonly updates: Updates;
  readonly settle: Settle;
  readonly clock: Clock;
  readonly tenants: TenantDirectory;
}

/**
 * Ends a key: the swap decides, the answer comes when the revocation is in the log. A kill in between leaves the effect in the document,
 * and any replica finishes it. Revoking again answers with the key as it is. Throws TENANT_NOT_FOUND and API_KEY_NOT_FOUND.
 */
export async function revokeApiKey(
  ports: RevokeApiKeyPorts,
  call: CallContext,
  tenant: string,
  id: string,
): Promise<ApiKeyDocument> {
  await requireTenant(ports.tenants, tenant, call.signal);
  const apiKeys = ports.store.collection<ApiKeyDocument>('apiKeys');
  const now = ports.clock.now();
  const updated = await ports.updates.update<ApiKeyDocument, undefined>(
    'apiKeys',
    apiKeys,
    tenant,
    id,
    (current) => {
      if (current === undefined || current.revokedAt !== undefined) return { kind: 'keep', result: undefined };
      const effect = revokeEffect({ kind: 'api_key', id, until: now + REMEMBERED_MS });
      const told = apiKeyEvent('api_key.revoked', call, current, now);
      const draft = { ...revokedApiKey(current, now), outbox: [...(current.outbox ?? []), effect, told] };
      return { kind: 'write', draft, result: undefined };
    },
    call.signal,
  );
  const key = updated.kind === 'done' ? updated.document : undefined;
  if (key === undefined) throw new DomainError('API_KEY_NOT_FOUND', 'the tenant has no API key with this id');
  await ports.settle('apiKeys', key, call.signal);
  return key;
}
