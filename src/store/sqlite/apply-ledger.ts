import type { DatabaseSync } from 'node:sqlite';
import { DONE, type Outcome, type Write } from './write.ts';

type Of<K extends Write['kind']> = Extract<Write, { kind: K }>;

export interface LedgerWrites {
  count(write: Of<'count'>): Outcome;
  forget(write: Of<'forget'>): Outcome;
  sweepCounters(write: Of<'sweepCounters'>): Outcome;
  audit(write: Of<'audit'>): Outcome;
  prune(write: Of<'prune'>): Outcome;
  pseudonymize(write: Of<'pseudonymize'>): Outcome;
  beat(write: Of<'beat'>): Outcome;
}

/** Writes of counters and of the audit trail inside the batch's transaction. */
export function ledgerWrites(database: DatabaseSync): LedgerWrites {
  const sql = prepare(database);
  return {
    count: ({ tenant, id, delta, expiresAt, now }) => {
      const first = Math.max(0, delta);
      const row = sql.count.get(tenant, id, first, expiresAt, now, delta, now, expiresAt, expiresAt);
      return { kind: 'done', value: Number(row?.['total']) };
    },
    forget: ({ tenant, id }) => {
      sql.forget.run(tenant, id);
      return DONE;
    },
    sweepCounters: ({ upTo, limit }) => removed(sql.sweepCounters.run(upTo, limit)),
    audit: ({ events }) => {
      for (const { tenant, id, at, type, subject, outcome, details } of events) {
        sql.audit.run(tenant, id, at, type, subject, outcome, details);
      }
      return DONE;
    },
    prune: ({ before, limit }) => removed(sql.prune.run(before, limit)),
    pseudonymize: ({ tenant, subject, pseudonym, limit }) => {
      const own = sql.ofSubject.all(tenant, subject, limit);
      for (const row of own) {
        const { identifying: _, ...details } = JSON.parse(String(row['details']));
        sql.hide.run(pseudonym, JSON.stringify(details), Number(row['seq']));
      }
      const others = sql.about.all(tenant, subject, limit);
      for (const row of others) {
        const details = { ...JSON.parse(String(row['details'])), about: pseudonym };
        sql.hideAbout.run(JSON.stringify(details), Number(row['seq']));
      }
      // The caller goes on while either may have found as many as it may touch.
      return { kind: 'done', value: own.length + others.length };
    },
    beat: ({ now }) => {
      sql.beat.run(now);
      return DONE;
    },
  };
}

function removed(result: { readonly changes: number | bigint }): Outcome {
  return { kind: 'done', value: Number(result.changes) };
}

function prepare(database: DatabaseSync) {
  return {
    // One statement, so that no other add comes between reading and writing. 2^53 - 1 is where counting stops being exact.
    count: database.prepare(
      `INSERT INTO counter (tenant, id, total, expires_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (tenant, id) DO UPDATE SET
         total = min(max(iif(expires_at > ?, total, 0) + ?, 0), ${Number.MAX_SAFE_INTEGER}),
         expires_at = iif(expires_at > ?, max(expires_at, ?), ?)
       RETURNING total`,
    ),
    forget: database.prepare('DELETE FROM counter WHERE tenant = ? AND id = ?'),
    sweepCounters: database.prepare(
      `DELETE FROM counter WHERE (tenant, id) IN (SELECT tenant, id FROM counter WHERE expires_at <= ? LIMIT ?)`,
    ),
    audit: database.prepare(
      `INSERT INTO audit_event (tenant, id, at, type, subject, outcome, details) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (tenant, id) DO NOTHING`,
    ),
    prune: database.prepare('DELETE FROM audit_event WHERE seq IN (SELECT seq FROM audit_event WHERE at < ? LIMIT ?)'),
    ofSubject: database.prepare('SELECT seq, details FROM audit_event WHERE tenant = ? AND subject = ? LIMIT ?'),
    hide: database.prepare('UPDATE audit_event SET subject = ?, details = ? WHERE seq = ?'),
    // By the index AUDIT_ABOUT.
    about: database.prepare(
      `SELECT seq, details FROM audit_event WHERE tenant = ? AND json_extract(details, '$.about') = ? LIMIT ?`,
    ),
    hideAbout: database.prepare('UPDATE audit_event SET details = ? WHERE seq = ?'),
    beat: database.prepare('UPDATE heartbeat SET at = ?'),
  };
}
