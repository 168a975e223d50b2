import { tenantDeleted } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import type { TenantPorts } from './create-tenant-use-cases.ts';
import { purgeTenantEffect } from './purge-tenant.ts';
import { DEFAULT_TENANT, SYSTEM_TENANT, type TenantDocument, tenantsOf } from './tenant.ts';
import { tenantChangedEffect } from './tenant-changed.ts';
import { etagOf, tenantChanged, tenantNotFound } from './tenant-etag.ts';

/**
 * How long a tenant must have been disabled, ms: a replica that hears nothing forgets its settings after 30 s, clocks differ by up to 5 s, and a
 * call that began before lasts 10 s by default. So nobody writes into a tenant while it is erased.
 */
export const DISABLED_FOR_MS = 60_000;

/**
 * Erases a tenant. The swap that decides leaves its name alone, which is never used again, and records the rest as an effect; the answer comes
 * when that is done. A kill or a deadline in between leaves it to any replica, and while it is pending a repeat helps to finish it; afterwards it
 * is TENANT_NOT_FOUND. Throws that, RESERVED_TENANT, and PRECONDITION_FAILED for a tenant that is another by now or was not disabled for
 * long enough.
 */
export async function deleteTenant(ports: TenantPorts, call: CallContext, tenant: string, etag: string): Promise<void> {
  if (tenant === SYSTEM_TENANT || tenant === DEFAULT_TENANT) {
    throw new DomainError('RESERVED_TENANT', `tenant \`${tenant}\` is always there`);
  }
  const now = ports.clock.now();
  const written = await ports.updates.update<TenantDocument, 'deleted' | 'gone' | 'changed' | 'enabled'>(
    'tenants',
    tenantsOf(ports.store),
    SYSTEM_TENANT,
    tenant,
    (current) => {
      if (current === undefined) return { kind: 'keep', result: 'gone' };
      if (current.status === 'deleted') return { kind: 'keep', result: isPending(current) ? 'deleted' : 'gone' };
      if (etag !== '' && etag !== etagOf(current)) return { kind: 'keep', result: 'changed' };
      if (current.status !== 'disabled') return { kind: 'keep', result: 'enabled' };
      requireDisabledFor(current, now);
      return { kind: 'write', draft: remains(call, current, now), result: 'deleted' };
    },
    call.signal,
  );
  if (written.kind !== 'done' || written.document === undefined || written.result === 'gone') {
    throw tenantNotFound(tenant);
  }
  if (written.result === 'changed') throw tenantChanged();
  if (written.result === 'enabled') {
    throw new DomainError('PRECONDITION_FAILED', `tenant \`${tenant}\` is in use: disable it first`);
  }
  ports.tenants.forget(tenant);
  await ports.outbox.settle('tenants', written.document, call.signal);
}

function requireDisabledFor({ id, disabledAt, updatedAt }: TenantDocument, now: number): void {
  const leftMs = (disabledAt ?? updatedAt) + DISABLED_FOR_MS - now;
  if (leftMs <= 0) return;
  const message = `tenant \`${id}\` was disabled a moment ago, and some replica may still serve it; try again after the time in RetryInfo`;
  throw new DomainError('PRECONDITION_FAILED', message, { retryAfterMs: leftMs });
}

function isPending({ outbox = [] }: TenantDocument): boolean {
  return outbox.length > 0;
}

/** Named member by member: whatever a later release adds to a tenant goes as well. */
function remains(call: CallContext, current: TenantDocument, now: number): TenantDocument {
  const at = Math.max(now, current.updatedAt + 1);
  const { id } = current;
  return {
    tenant: current.tenant,
    id,
    version: current.version,
    schema: current.schema,
    keys: [id],
    createdAt: current.createdAt,
    updatedAt: at,
    status: 'deleted',
    settings: {},
    outbox: [...(current.outbox ?? []), tenantChangedEffect(id, at), tenantDeleted(call, id, at), purgeTenantEffect()],
  };
}
