import type { AuditEvent, AuditFilter, AuditTrail } from '../../../src/domain/storage.ts';
import { auditCursor, parseAuditCursor } from '../../../src/platform/audit-cursor.ts';
import { encodeJson } from '../../../src/platform/json.ts';
import { assertLimit } from '../../../src/platform/stored-document.ts';
import type { MemoryParts } from '../memory-store.ts';

export function createMemoryAuditTrail(parts: MemoryParts): AuditTrail {
  const events = new Map<string, string>();
  const place = (event: AuditEvent): string => JSON.stringify([event.tenant, event.id]);
  const all = (): AuditEvent[] => [...events.values()].map((text) => JSON.parse(text));
  return {
    append: async (added, signal) => {
      await parts.turn('audit.append', signal);
      if (added.length > 0) assertLimit(added.length, 'number of audit events');
      for (const event of added) encodeJson(event.details, 'audit.details');
      for (const event of added) {
        if (!events.has(place(event))) events.set(place(event), JSON.stringify(event));
      }
    },
    list: async (filter, after, limit, signal) => {
      await parts.turn('audit.list', signal);
      assertLimit(limit, 'audit.limit');
      const from = after === undefined ? undefined : parseAuditCursor(after);
      const listed = all()
        .filter((event) => selected(event, filter))
        .sort((left, right) => Buffer.compare(Buffer.from(auditCursor(left)), Buffer.from(auditCursor(right))));
      if (filter.newestFirst === true) listed.reverse();
      const sign = filter.newestFirst === true ? -1 : 1;
      const isBehind = (event: AuditEvent, { at, id }: ReturnType<typeof parseAuditCursor>): boolean =>
        (event.at === at ? order(event.id, id) : Math.sign(event.at - at)) === sign;
      return listed.filter((event) => from === undefined || isBehind(event, from)).slice(0, limit);
    },
    prune: async (before, signal) => {
      await parts.turn('audit.prune', signal);
      const old = all().filter((event) => event.at < before);
      for (const event of old) events.delete(place(event));
      return old.length;
    },
    pseudonymize: async (tenant, subject, pseudonym, signal) => {
      await parts.turn('audit.pseudonymize', signal);
      for (const event of all()) {
        if (event.tenant !== tenant) continue;
        const isSubject = event.subject === subject;
        const isAbout = event.details['about'] === subject;
        if (!isSubject && !isAbout) continue;
        const about = isAbout ? pseudonym : event.details['about'];
        const details = { ...event.details, ...(isSubject ? { identifying: undefined } : {}), about };
        events.set(place(event), JSON.stringify({ ...event, ...(isSubject ? { subject: pseudonym } : {}), details }));
      }
    },
  };
}

function order(id: string, other: string): number {
  return Buffer.compare(Buffer.from(id), Buffer.from(other));
}

function selected(event: AuditEvent, filter: AuditFilter): boolean {
  return (
    event.tenant === filter.tenant &&
    (filter.from === undefined || event.at >= filter.from) &&
    (filter.to === undefined || event.at < filter.to) &&
    (filter.subject === undefined || event.subject === filter.subject) &&
    (filter.type === undefined || event.type === filter.type) &&
    (filter.outcome === undefined || event.outcome === filter.outcome)
  );
}
