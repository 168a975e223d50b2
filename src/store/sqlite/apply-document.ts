import type { DatabaseSync } from 'node:sqlite';
import type { Mark } from '../../domain/storage.ts';
import { NEVER } from './schema.ts';
import { DONE, type DocumentColumns, LOST, type Outcome } from './write.ts';

type Row = { readonly seq: number; readonly collection: number; readonly tenant: string; readonly keys: string };

export interface DocumentWrites {
  insert(columns: DocumentColumns, now: number): Outcome;
  replace(columns: DocumentColumns, expectedVersion: string, now: number): Outcome;
  remove(collection: number, tenant: string, id: string, expectedVersion: string | null, now: number): Outcome;
  touch(collection: number, marks: readonly Mark[], now: number): Outcome;
  /** Removes what expired at `upTo` or before, at most `limit`. */
  sweep(upTo: number, limit: number): Outcome;
}

/**
 * Writes of documents inside the batch's transaction. Everything is checked before the first write, so a refused one leaves nothing
 * to undo, and the other members of the batch are untouched by it.
 */
export function documentWrites(database: DatabaseSync): DocumentWrites {
  const sql = prepare(database);

  const drop = (row: Row): void => {
    for (const key of distinctKeys(row.keys)) sql.dropKey.run(row.collection, row.tenant, key);
    sql.drop.run(row.seq);
  };
  // The keys among `wanted` that somebody holds: a living holder is the answer, expired ones are in the way and go.
  const claim = (columns: DocumentColumns, wanted: Iterable<string>, self: number, now: number): Outcome => {
    const expired = new Map<number, Row>();
    for (const key of wanted) {
      const holder = sql.holder.get(now, columns.collection, columns.tenant, key);
      if (holder === undefined || holder['seq'] === self) continue;
      if (holder['living'] === 1) return { kind: 'exists', key };
      expired.set(Number(holder['seq']), rowOf(holder));
    }
    for (const row of expired.values()) drop(row);
    return DONE;
  };

  return {
    insert: (columns, now) => {
      const keys = distinctKeys(columns.keys);
      const claimed = claim(columns, keys, 0, now);
      if (claimed.kind !== 'done') return claimed;
      const { collection, tenant, id, version, owner, expiresAt, pending, body } = columns;
      const { lastInsertRowid: seq } = sql.insert.run(
        ...[collection, tenant, id, version, owner, expiresAt, now, pending, columns.keys, body],
      );
      for (const key of keys) sql.insertKey.run(collection, tenant, key, seq);
      return DONE;
    },
    replace: (columns, expectedVersion, now) => {
      const { collection, tenant, id, version, owner, expiresAt, pending, body } = columns;
      const row = sql.current.get(collection, tenant, id, expectedVersion, now);
      if (row === undefined) return LOST;
      const seq = Number(row['seq']);
      if (row['keys'] !== columns.keys) {
        const before = distinctKeys(String(row['keys']));
        const after = distinctKeys(columns.keys);
        const claimed = claim(columns, after.difference(before), seq, now);
        if (claimed.kind !== 'done') return claimed;
        for (const key of before.difference(after)) sql.dropKey.run(collection, tenant, key);
        for (const key of after.difference(before)) sql.insertKey.run(collection, tenant, key, seq);
      }
      sql.replace.run(version, owner, expiresAt, now, pending, columns.keys, body, seq);
      return { kind: 'done', value: row['touched_at'] === null ? null : Number(row['touched_at']) };
    },
    remove: (collection, tenant, id, expectedVersion, now) => {
      const row =
        expectedVersion === null
          ? sql.living.get(collection, tenant, id, now)
          : sql.versioned.get(collection, tenant, id, expectedVersion);
      if (row === undefined) return LOST;
      drop(rowOf(row));
      return DONE;
    },
    touch: (collection, marks, now) => {
      for (const { tenant, id, at } of marks) sql.touch.run(at, collection, tenant, id, now, at);
      return DONE;
    },
    sweep: (upTo, limit) => {
      const rows = sql.expired.all(upTo, limit);
      for (const row of rows) drop(rowOf(row));
      return { kind: 'done', value: rows.length };
    },
  };
}

function prepare(database: DatabaseSync) {
  const row = 'seq, collection, tenant, keys';
  const byId = 'collection = ? AND tenant = ? AND id = ?';
  return {
    holder: database.prepare(
      `SELECT d.seq, d.collection, d.tenant, d.keys, d.expires_at > ? AS living
       FROM document_key k JOIN document d ON d.seq = k.seq WHERE k.collection = ? AND k.tenant = ? AND k.key = ?`,
    ),
    insert: database.prepare(
      `INSERT INTO document (collection, tenant, id, version, owner, expires_at, written_at, pending, keys, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    insertKey: database.prepare('INSERT INTO document_key (collection, tenant, key, seq) VALUES (?, ?, ?, ?)'),
    dropKey: database.prepare('DELETE FROM document_key WHERE collection = ? AND tenant = ? AND key = ?'),
    drop: database.prepare('DELETE FROM document WHERE seq = ?'),
    current: database.prepare(
      `SELECT seq, keys, touched_at FROM document WHERE ${byId} AND version = ? AND expires_at > ?`,
    ),
    replace: database.prepare(
      `UPDATE document SET version = ?, owner = ?, expires_at = ?, written_at = ?, pending = ?, keys = ?, body = ?
       WHERE seq = ?`,
    ),
    living: database.prepare(`SELECT ${row} FROM document WHERE ${byId} AND expires_at > ?`),
    versioned: database.prepare(`SELECT ${row} FROM document WHERE ${byId} AND version = ?`),
    touch: database.prepare(
      `UPDATE document SET touched_at = ?
       WHERE ${byId} AND expires_at > ? AND (touched_at IS NULL OR touched_at < ?)`,
    ),
    expired: database.prepare(
      `SELECT ${row} FROM document WHERE pending = 0 AND expires_at < ${NEVER} AND expires_at <= ? LIMIT ?`,
    ),
  };
}

function rowOf(row: Record<string, unknown>): Row {
  return {
    seq: Number(row['seq']),
    collection: Number(row['collection']),
    tenant: String(row['tenant']),
    keys: String(row['keys']),
  };
}

function distinctKeys(text: string): Set<string> {
  return new Set<string>(JSON.parse(text));
}
