import type { DatabaseSync } from 'node:sqlite';
import { DONE, LOST, type Outcome, type Write } from './write.ts';

type Of<K extends Write['kind']> = Extract<Write, { kind: K }>;

export interface LogWrites {
  append(write: Of<'append'>): Outcome;
  compact(write: Of<'compact'>): Outcome;
  chunk(write: Of<'chunk'>): Outcome;
  manifest(write: Of<'manifest'>): Outcome;
  dropChunks(write: Of<'dropChunks'>): Outcome;
}

/** Writes of the change log and its checkpoints inside the batch's transaction. */
export function logWrites(database: DatabaseSync): LogWrites {
  const sql = prepare(database);
  return {
    append: (write) => {
      const head = sql.head.get(write.stream);
      const revision = head === undefined ? 0 : Number(head['revision']);
      const digest = head === undefined ? '' : head['digest'];
      const isNext = write.begins ? head === undefined : write.revision === revision + 1 && write.previous === digest;
      if (!isNext) {
        // Taken; by this very writer when an earlier answer was lost. Compaction keeps the newest entry, so a place that was
        // compacted away lies before the head and cannot be taken again.
        const taken = sql.writerAt.get(write.stream, write.revision);
        return taken?.['writer'] === write.writer ? DONE : LOST;
      }
      sql.append.run(
        ...[write.stream, write.revision, write.writer, write.previous, write.digest, write.at, write.body],
      );
      return DONE;
    },
    compact: ({ stream, upTo, limit }) => {
      const { changes } = sql.compact.run(stream, upTo, stream, stream, limit);
      return { kind: 'done', value: Number(changes) };
    },
    chunk: ({ nonce, number, body }) => {
      sql.chunk.run(nonce, number, body);
      return DONE;
    },
    manifest: ({ stream, revision, digest, at, nonce, chunkDigests }) => {
      const current = sql.checkpoint.get(stream);
      if (current !== undefined && Number(current['revision']) > revision) return LOST;
      sql.manifest.run(stream, revision, digest, at, nonce, chunkDigests);
      return { kind: 'done', value: current === undefined ? null : String(current['nonce']) };
    },
    dropChunks: ({ nonce, limit }) => {
      const { changes } = sql.dropChunks.run(nonce, limit);
      return { kind: 'done', value: Number(changes) };
    },
  };
}

function prepare(database: DatabaseSync) {
  return {
    head: database.prepare('SELECT revision, digest FROM log_entry WHERE stream = ? ORDER BY revision DESC LIMIT 1'),
    writerAt: database.prepare('SELECT writer FROM log_entry WHERE stream = ? AND revision = ?'),
    append: database.prepare(
      `INSERT INTO log_entry (stream, revision, writer, previous, digest, at, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    compact: database.prepare(
      `DELETE FROM log_entry WHERE stream = ? AND revision <= ?
       AND revision < (SELECT max(revision) FROM log_entry WHERE stream = ?)
       AND revision < (SELECT min(revision) FROM log_entry WHERE stream = ?) + ?`,
    ),
    chunk: database.prepare('INSERT INTO checkpoint_chunk (nonce, number, body) VALUES (?, ?, ?)'),
    checkpoint: database.prepare('SELECT revision, nonce FROM checkpoint WHERE stream = ?'),
    manifest: database.prepare(
      `INSERT OR REPLACE INTO checkpoint (stream, revision, digest, at, nonce, chunk_digests) VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    dropChunks: database.prepare(
      'DELETE FROM checkpoint_chunk WHERE rowid IN (SELECT rowid FROM checkpoint_chunk WHERE nonce = ? LIMIT ?)',
    ),
  };
}
