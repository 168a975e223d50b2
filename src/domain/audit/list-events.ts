import { isAuditCursor } from '../../platform/audit-cursor.ts';
import type { CallContext } from '../call.ts';
import { pageTokenOf, readPageToken } from '../page-token.ts';
import type { AuditEvent, AuditFilter } from '../storage.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { AuditPorts } from './create-audit-use-cases.ts';
import type { ListEventsInput } from './use-cases.ts';
import { walkEvents } from './walk-events.ts';

/** One page of the trail, oldest first or newest first: a bounded number of reads, so that it may hold fewer than were asked for. Throws TENANT_NOT_FOUND and INVALID_ARGUMENT. */
export async function listEvents(
  ports: AuditPorts,
  call: CallContext,
  { filter, page }: ListEventsInput,
): Promise<{ readonly events: readonly AuditEvent[]; readonly nextPageToken: string }> {
  await requireTenant(ports.tenants, filter.tenant, call.signal);
  const scope = scopeOf(filter);
  const { events, after } = await walkEvents(
    ports.store,
    filter,
    readPageToken(page.token, scope, isAuditCursor),
    page.size,
    call.signal,
  );
  return { events, nextPageToken: after === undefined ? '' : pageTokenOf(after, scope) };
}

function scopeOf({ tenant, from, to, subject, type, outcome, newestFirst }: AuditFilter): readonly string[] {
  const order = newestFirst === true ? ['newest first'] : [];
  return ['events', tenant, String(from), String(to), subject ?? '', type ?? '', outcome ?? '', ...order];
}
