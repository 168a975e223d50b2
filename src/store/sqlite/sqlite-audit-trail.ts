import type { StatementSync } from 'node:sqlite';
import type { AuditEvent, AuditFilter, AuditTrail } from '../../domain/storage.ts';
import { parseAuditCursor } from '../../platform/audit-cursor.ts';
import { assertJsonSafe, encodeJson, UnsafeJsonError } from '../../platform/json.ts';
import { assertBodySize, assertLimit, assertName, assertWhole, MAX_PAGE } from '../../platform/stored-document.ts';
import { drain, type Link } from './link.ts';
import type { AuditColumns } from './write.ts';

/** Events that one write of a removal or a change touches. */
const EVENTS_PER_WRITE = 500;

/** The audit trail of the port on SQLite. */
export function createSqliteAuditTrail(link: Link): AuditTrail {
  const select = eventQuery(link);
  return {
    append: async (events, signal) => {
      signal?.throwIfAborted();
      if (events.length === 0) return;
      assertLimit(events.length, 'number of audit events');
      const columns = events.map(columnsOf);
      const length = columns.reduce((sum, { details }) => sum + details.length, 0);
      await link.queue.submit({ kind: 'audit', events: columns }, length, signal);
    },
    list: async (filter, after, limit, signal) => {
      assertLimit(limit, 'audit limit', MAX_PAGE);
      const cursor = after === undefined ? undefined : parseAuditCursor(after);
      return link.read(signal, () => select(filter, cursor, limit).map((row) => eventOf(filter.tenant, row)));
    },
    prune: (before, signal) => drain(link, { kind: 'prune', before, limit: EVENTS_PER_WRITE }, signal),
    pseudonymize: async (tenant, subject, pseudonym, signal) => {
      assertName(pseudonym, 'audit pseudonym');
      if (pseudonym === subject) throw new UnsafeJsonError('audit pseudonym', 'is the subject itself');
      await drain(link, { kind: 'pseudonymize', tenant, subject, pseudonym, limit: EVENTS_PER_WRITE }, signal);
    },
  };
}

type Cursor = ReturnType<typeof parseAuditCursor>;
type Query = (filter: AuditFilter, cursor: Cursor | undefined, limit: number) => readonly Record<string, unknown>[];

function eventQuery({ database }: Link): Query {
  // One statement per order and set of conditions in use: at most 2^7.
  const statements = new Map<string, StatementSync>();
  return (filter, cursor, limit) => {
    const [isBehind, order] =
      filter.newestFirst === true ? (['<', 'at DESC, id DESC'] as const) : (['>', 'at, id'] as const);
    const conditions: readonly (readonly [string, readonly (string | number)[]] | undefined)[] = [
      ['tenant = ?', [filter.tenant]],
      filter.from === undefined ? undefined : ['at >= ?', [filter.from]],
      filter.to === undefined ? undefined : ['at < ?', [filter.to]],
      filter.subject === undefined ? undefined : ['subject = ?', [filter.subject]],
      filter.type === undefined ? undefined : ['type = ?', [filter.type]],
      filter.outcome === undefined ? undefined : ['outcome = ?', [filter.outcome]],
      cursor === undefined ? undefined : [`(at, id) ${isBehind} (?, ?)`, [cursor.at, cursor.id]],
    ];
    const used = conditions.filter((condition) => condition !== undefined);
    const where = used.map(([text]) => text).join(' AND ');
    const sql = `SELECT id, at, type, subject, outcome, details FROM audit_event WHERE ${where} ORDER BY ${order} LIMIT ?`;
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement.all(...used.flatMap(([, values]) => values), limit);
  };
}

function columnsOf(event: AuditEvent): AuditColumns {
  assertName(event.tenant, 'audit.tenant');
  assertName(event.id, 'audit.id');
  assertWhole(event.at, 'audit.at');
  assertJsonSafe(event, 'audit');
  const details = encodeJson(event.details, 'audit.details');
  assertBodySize(details, 'audit.details');
  const { tenant, id, at, type, subject = null, outcome } = event;
  return { tenant, id, at, type, subject, outcome, details };
}

function eventOf(tenant: string, row: Record<string, unknown>): AuditEvent {
  const subject = row['subject'];
  return {
    tenant,
    id: String(row['id']),
    at: Number(row['at']),
    type: String(row['type']),
    ...(typeof subject === 'string' ? { subject } : {}),
    outcome: outcomeOf(row['outcome']),
    details: JSON.parse(String(row['details'])),
  };
}

function outcomeOf(text: unknown): AuditEvent['outcome'] {
  if (text === 'success' || text === 'failure' || text === 'denied') return text;
  throw new Error('the audit trail holds an outcome that this release does not know');
}
