import type { ChangeLog, LogEntry } from '../../domain/storage.ts';
import { encodeJson } from '../../platform/json.ts';
import { assertBodySize, assertLimit, assertName, assertWhole } from '../../platform/stored-document.ts';
import { drain, type Link } from './link.ts';
import { sqliteCheckpoints } from './sqlite-checkpoints.ts';
import type { Write } from './write.ts';
import { AnswerLost } from './write-queue.ts';

/** Entries that one write of a compaction removes. */
const ENTRIES_PER_COMPACTION = 500;

/** The change log of the port on SQLite. */
export function createSqliteChangeLog(link: Link): ChangeLog {
  const sql = prepare(link);
  const append = async (entry: LogEntry, begins: boolean, signal: AbortSignal | undefined): Promise<boolean> => {
    signal?.throwIfAborted();
    const write = appendOf(entry, begins);
    try {
      return (await link.queue.submit(write, write.body.length, signal)).kind === 'done';
    } catch (error) {
      if (!(error instanceof AnswerLost)) throw error;
      const taken = link.read(undefined, () => sql.writerAt.get(entry.stream, entry.revision));
      if (taken === undefined) throw error;
      return taken['writer'] === entry.writer;
    }
  };
  return {
    append: (entry, signal) => append(entry, false, signal),
    begin: (entry, signal) => append(entry, true, signal),
    read: async (stream, after, limit, signal) => {
      assertLimit(limit, 'log limit');
      return link.read(signal, () => sql.read.all(stream, after, limit).map((row) => entryOf(stream, row)));
    },
    next: async (positions, signal) =>
      link.read(signal, () => {
        const moved: string[] = [];
        for (const [stream, revision] of positions) {
          if (sql.writerAt.get(stream, revision + 1) !== undefined) moved.push(stream);
        }
        return moved;
      }),
    bounds: async (stream, signal) =>
      link.read(signal, () => {
        const row = sql.bounds.get(stream, stream);
        return { oldest: Number(row?.['oldest'] ?? 0), newest: Number(row?.['newest'] ?? 0) };
      }),
    compact: async (stream, upTo, signal) => {
      assertWhole(upTo, 'log compaction');
      await drain(link, { kind: 'compact', stream, upTo, limit: ENTRIES_PER_COMPACTION }, signal);
    },
    ...sqliteCheckpoints(link),
  };
}

function prepare({ database }: Link) {
  return {
    writerAt: database.prepare('SELECT writer FROM log_entry WHERE stream = ? AND revision = ?'),
    read: database.prepare(
      `SELECT revision, writer, previous, digest, at, body FROM log_entry
       WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?`,
    ),
    // Two look-ups; min() and max() in one SELECT would read the whole stream.
    bounds: database.prepare(
      `SELECT (SELECT min(revision) FROM log_entry WHERE stream = ?) AS oldest,
              (SELECT max(revision) FROM log_entry WHERE stream = ?) AS newest`,
    ),
  };
}

function appendOf(entry: LogEntry, begins: boolean): Extract<Write, { kind: 'append' }> {
  const { stream, revision, writer, previous, digest, at } = entry;
  assertName(stream, 'log stream');
  assertName(writer, 'log writer');
  assertWhole(revision, `log ${stream} revision`);
  assertWhole(at, `log ${stream} at`);
  const body = encodeJson(entry.body, `log ${stream}`);
  assertBodySize(body, `log ${stream}`);
  return { kind: 'append', begins, stream, revision, writer, previous, digest, at, body };
}

function entryOf(stream: string, row: Record<string, unknown>): LogEntry {
  return {
    stream,
    revision: Number(row['revision']),
    writer: String(row['writer']),
    previous: String(row['previous']),
    digest: String(row['digest']),
    at: Number(row['at']),
    body: JSON.parse(String(row['body'])),
  };
}
