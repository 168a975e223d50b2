import type { AuditEvent, AuditFilter, AuditTrail } from '../../domain/storage.ts';
import { parseAuditCursor } from '../../platform/audit-cursor.ts';
import { encodeJson } from '../../platform/json.ts';
import { assertBodySize, assertLimit, assertName, assertWhole } from '../../platform/stored-document.ts';
import { onlyDuplicates } from './driver-fault.ts';
import { type Link, MAX_TIME_MS, settled } from './link.ts';
import { escapeBytes, recordId } from './record-id.ts';

interface EventRecord {
  readonly _id: string;
  readonly t: string;
  readonly at: number;
  /** Place in the order (at, id), as text that sorts the same way on every server. */
  readonly c: string;
  readonly type: string;
  readonly outcome: string;
  readonly s?: string;
  /** Tenant and detail `about`, as `recordId` joins them. */
  readonly a?: string;
  /** The event as JSON text. */
  readonly b: string;
}

const NAME = 'auditTrail';
const TIME = { maxTimeMS: MAX_TIME_MS } as const;
const AT_DIGITS = 16;
const BATCH = 1000;

export function createMongoAuditTrail(link: Link): AuditTrail {
  const records = link.records<EventRecord>(NAME);
  return {
    append: async (events, signal) => {
      if (events.length === 0) return;
      assertLimit(events.length, 'number of audit events');
      const writes = events.map((event) => ({ insertOne: { document: toRecord(event) } }));
      const write = async (): Promise<void> => {
        try {
          await link.run(() => records.bulkWrite(writes, { ordered: false, ...TIME }), signal);
        } catch (error) {
          // The event is there already, from an outbox that was performed twice.
          if (!onlyDuplicates(causeOf(error))) throw error;
        }
      };
      await settled(write, async () => undefined);
    },
    list: async (filter, after, limit, signal) => {
      assertLimit(limit, 'audit limit');
      const place = after === undefined ? undefined : placeAfter(after);
      const isReversed = filter.newestFirst === true;
      const behind = place === undefined ? {} : { c: isReversed ? { $lt: place } : { $gt: place } };
      const query = { ...toQuery(filter), ...behind };
      const options = { projection: { _id: 0, b: 1 }, ...TIME } as const;
      const found = await link.run(
        () =>
          records
            .find<{ b: string }>(query, options)
            .sort({ c: isReversed ? -1 : 1 })
            .limit(limit)
            .toArray(),
        signal,
      );
      return found.map(({ b }) => JSON.parse(b) as AuditEvent);
    },
    prune: async (before, signal) => {
      let removed = 0;
      for (;;) {
        const options = { projection: { _id: 1 }, ...TIME } as const;
        const found = await link.run(
          () =>
            records
              .find({ at: { $lt: before } }, options)
              .limit(BATCH)
              .toArray(),
          signal,
        );
        if (found.length === 0) return removed;
        const deletions = found.map(({ _id }) => ({ deleteOne: { filter: { _id } } }));
        const result = await link.run(() => records.bulkWrite(deletions, { ordered: false, ...TIME }), signal);
        removed += result.deletedCount;
      }
    },
    pseudonymize: (tenant, subject, pseudonym, signal) => pseudonymize(link, tenant, subject, pseudonym, signal),
  };
}

/** The events of the subject, then those about it. */
async function pseudonymize(
  link: Link,
  tenant: string,
  subject: string,
  pseudonym: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await rewrite(link, { t: tenant, s: subject }, signal, (event) => {
    const { identifying: _identifying, ...details } = event.details;
    return { s: pseudonym, b: encodeJson({ ...event, subject: pseudonym, details }, 'audit') };
  });
  await rewrite(link, { a: recordId(tenant, subject) }, signal, (event) => {
    const details = { ...event.details, about: pseudonym };
    return { a: recordId(tenant, pseudonym), b: encodeJson({ ...event, details }, 'audit') };
  });
}

/** Goes through the selected events in their order, which does not change meanwhile; doing it twice is doing it once. */
async function rewrite(
  link: Link,
  selected: Partial<Pick<EventRecord, 't' | 's' | 'a'>>,
  signal: AbortSignal | undefined,
  fieldsOf: (event: AuditEvent) => Partial<EventRecord>,
): Promise<void> {
  const records = link.records<EventRecord>(NAME);
  let place = '';
  for (;;) {
    const query = { ...selected, c: { $gt: place } };
    const options = { projection: { c: 1, b: 1 }, ...TIME } as const;
    const found = await link.run(
      () => records.find<Pick<EventRecord, '_id' | 'c' | 'b'>>(query, options).sort({ c: 1 }).limit(BATCH).toArray(),
      signal,
    );
    const last = found.at(-1);
    if (last === undefined) return;
    const updates = found.map(({ _id, b }) => ({
      updateOne: { filter: { _id, ...selected }, update: { $set: fieldsOf(JSON.parse(b) as AuditEvent) } },
    }));
    const write = (): Promise<unknown> =>
      link.run(() => records.bulkWrite(updates, { ordered: false, ...TIME }), signal);
    await settled(write, async () => undefined);
    place = last.c;
  }
}

function toRecord(event: AuditEvent): EventRecord {
  assertName(event.tenant, 'audit event tenant');
  assertName(event.id, 'audit event id');
  assertWhole(event.at, 'audit event at');
  const text = encodeJson(event, 'audit');
  assertBodySize(text, 'audit');
  const { about } = event.details;
  return {
    _id: recordId(event.tenant, event.id),
    t: event.tenant,
    at: event.at,
    c: placeOf(event),
    type: event.type,
    outcome: event.outcome,
    ...(event.subject === undefined ? {} : { s: event.subject }),
    ...(typeof about === 'string' ? { a: recordId(event.tenant, about) } : {}),
    b: text,
  };
}

function toQuery(filter: AuditFilter): Record<string, unknown> {
  const { from, to } = filter;
  const at = { ...(from === undefined ? {} : { $gte: from }), ...(to === undefined ? {} : { $lt: to }) };
  return {
    t: filter.tenant,
    ...(from === undefined && to === undefined ? {} : { at }),
    ...(filter.subject === undefined ? {} : { s: filter.subject }),
    ...(filter.type === undefined ? {} : { type: filter.type }),
    ...(filter.outcome === undefined ? {} : { outcome: filter.outcome }),
  };
}

function placeOf(event: { readonly at: number; readonly id: string }): string {
  return `${String(event.at).padStart(AT_DIGITS, '0')}/${escapeBytes(event.id)}`;
}

function placeAfter(cursor: string): string {
  return placeOf(parseAuditCursor(cursor));
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
