import { auditCursor } from '../../platform/audit-cursor.ts';
import type { CallContext } from '../call.ts';
import { pageTokenOf, readPageToken } from '../page-token.ts';
import type { AuditEvent, AuditFilter } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { AuditPorts } from './create-audit-use-cases.ts';
import type { ListEventsInput } from './use-cases.ts';

/** One page of the trail, oldest first: one read of the store. Throws TENANT_NOT_FOUND and INVALID_ARGUMENT. */
export async function listEvents(
  ports: AuditPorts,
  call: CallContext,
  { filter, page }: ListEventsInput,
): Promise<{ readonly events: readonly AuditEvent[]; readonly nextPageToken: string }> {
  await requireTenant(ports.tenants, filter.tenant, call.signal);
  const scope = scopeOf(filter);
  const limit = page.size;
  const events = await ports.store.auditTrail.list(filter, readPageToken(page.token, scope), limit, call.signal);
  const last = events.length < limit ? undefined : events.at(-1);
  return { events, nextPageToken: last === undefined ? '' : pageTokenOf(auditCursor(last), scope) };
}

function scopeOf({ tenant, from, to, subject, type, outcome }: AuditFilter): readonly string[] {
  return ['events', tenant, String(from), String(to), subject ?? '', type ?? '', outcome ?? ''];
}
