import { auditCursor } from '../../platform/audit-cursor.ts';
import type { AuditEvent, AuditFilter, Store } from '../storage.ts';

// The trail is indexed by tenant, time and subject. Type and outcome are picked here from what was read, so that a page of something rare is
// a bounded number of reads and not a walk over months of events inside the store.

/** Events looked at for one page. */
const MAX_LOOKED_AT = 10_000;
const READ = 1_000;

export interface EventsPage {
  readonly events: readonly AuditEvent[];
  /** Cursor of the last event looked at: the next page begins behind it. Undefined: the end was reached. */
  readonly after: string | undefined;
}

/** The next events in the order of the filter, at most `limit` (1 to 1,000). It may be fewer, even none, with more to come: see `after`. */
export async function walkEvents(
  { auditTrail }: Pick<Store, 'auditTrail'>,
  { type, outcome, ...indexed }: AuditFilter,
  after: string | undefined,
  limit: number,
  signal?: AbortSignal,
): Promise<EventsPage> {
  const isWanted = (event: AuditEvent): boolean =>
    (type === undefined || event.type === type) && (outcome === undefined || event.outcome === outcome);
  const size = type === undefined && outcome === undefined ? limit : READ;
  const events: AuditEvent[] = [];
  let place = after;
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += size) {
    const read = await auditTrail.list(indexed, place, size, signal);
    for (const event of read) {
      if (isWanted(event)) events.push(event);
      place = auditCursor(event);
      if (events.length === limit) return { events, after: place };
    }
    if (read.length < size) return { events, after: undefined };
  }
  return { events, after: place };
}
