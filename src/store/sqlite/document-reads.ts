import type { DatabaseSync } from 'node:sqlite';
import type { Document, Page } from '../../domain/storage.ts';

/** Reads of one collection, by prepared statements on the calling thread. `now` decides what has expired. */
export interface DocumentReads<D extends Document> {
  byId(tenant: string, id: string, now: number): D | undefined;
  byKey(tenant: string, key: string, now: number): D | undefined;
  page(tenant: string, page: Page, now: number): readonly D[];
  pending(olderThan: number, limit: number): readonly D[];
  /** What is in the file, expired or not. */
  stored(tenant: string, id: string): { readonly version: string; readonly touchedAt: number | null } | undefined;
  /** A document from its stored text and its mark. */
  decode(body: string, touchedAt: unknown): D;
}

export function documentReads<D extends Document>(database: DatabaseSync, collection: number): DocumentReads<D> {
  const sql = prepare(database);
  const decode = (body: unknown, touchedAt: unknown): D => {
    const document = JSON.parse(String(body));
    if (touchedAt !== null) document.touchedAt = touchedAt;
    return document;
  };
  const one = (row: Record<string, unknown> | undefined): D | undefined =>
    row === undefined ? undefined : decode(row['body'], row['touched_at']);
  const many = (rows: readonly Record<string, unknown>[]): readonly D[] =>
    rows.map((row) => decode(row['body'], row['touched_at']));

  return {
    byId: (tenant, id, now) => one(sql.byId.get(collection, tenant, id, now)),
    byKey: (tenant, key, now) => one(sql.byKey.get(collection, tenant, key, now)),
    // Ids are never empty, so the empty string comes before all of them.
    page: (tenant, { owner, after = '', limit }, now) =>
      many(
        owner === undefined
          ? sql.page.all(collection, tenant, after, now, limit)
          : sql.pageOfOwner.all(collection, tenant, owner, after, now, limit),
      ),
    pending: (olderThan, limit) => many(sql.pending.all(collection, olderThan, limit)),
    stored: (tenant, id) => {
      const row = sql.stored.get(collection, tenant, id);
      if (row === undefined) return undefined;
      return {
        version: String(row['version']),
        touchedAt: row['touched_at'] === null ? null : Number(row['touched_at']),
      };
    },
    decode,
  };
}

function prepare(database: DatabaseSync) {
  return {
    byId: database.prepare(
      'SELECT body, touched_at FROM document WHERE collection = ? AND tenant = ? AND id = ? AND expires_at > ?',
    ),
    byKey: database.prepare(
      `SELECT d.body, d.touched_at FROM document_key k JOIN document d ON d.seq = k.seq
       WHERE k.collection = ? AND k.tenant = ? AND k.key = ? AND d.expires_at > ?`,
    ),
    page: database.prepare(
      `SELECT body, touched_at FROM document
       WHERE collection = ? AND tenant = ? AND id > ? AND expires_at > ? ORDER BY id LIMIT ?`,
    ),
    pageOfOwner: database.prepare(
      `SELECT body, touched_at FROM document
       WHERE collection = ? AND tenant = ? AND owner = ? AND id > ? AND expires_at > ? ORDER BY id LIMIT ?`,
    ),
    pending: database.prepare(
      `SELECT body, touched_at FROM document
       WHERE collection = ? AND pending = 1 AND written_at < ? ORDER BY written_at, seq LIMIT ?`,
    ),
    stored: database.prepare('SELECT version, touched_at FROM document WHERE collection = ? AND tenant = ? AND id = ?'),
  };
}
