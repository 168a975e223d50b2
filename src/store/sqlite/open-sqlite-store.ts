import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Collection, CollectionName, Document, Store } from '../../domain/storage.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { RandomSource } from '../../platform/random.ts';
import { openDatabase, pragma } from './database.ts';
import { lockDirectory } from './directory-lock.ts';
import { createLink, drain, type Link } from './link.ts';
import { createSqliteAuditTrail } from './sqlite-audit-trail.ts';
import { createSqliteChangeLog } from './sqlite-change-log.ts';
import { createSqliteCollection } from './sqlite-collection.ts';
import { createSqliteCounters } from './sqlite-counters.ts';
import { writerThreads } from './start-writer-thread.ts';
import { MAX_BATCH } from './waiting-writes.ts';
import { createWriteQueue, type StartWriter } from './write-queue.ts';

/** The database's name in the data directory; `-wal` and `-shm` stand beside it while the store is open. */
export const DATABASE_FILE = 'sallyport.db';
/** The side file whose lock keeps a second process out. */
export const LOCK_FILE = 'sallyport.lock';

/** Rows that one write of a sweep removes. */
const ROWS_PER_SWEEP = 500;

export interface SqliteStoreOptions {
  /** The data directory; made (0700) when missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger?: Logger | undefined;
  readonly metrics?: Metrics | undefined;
  /** The database grows no further than this many bytes; writes beyond are UNAVAILABLE. Default: as far as the disk. */
  readonly maxBytes?: number | undefined;
  /** Wraps the start of the writer thread: for tests that let it die. */
  readonly wrapWriter?: ((start: StartWriter) => StartWriter) | undefined;
}

/**
 * Opens the embedded store of a data directory. Throws StoreOpenError: another process uses the directory, it cannot be written,
 * a newer release wrote it, or it is damaged.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { directory, clock, random, logger, maxBytes = 0 } = options;
  const file = join(directory, DATABASE_FILE);
  const release = lockDirectory(directory, join(directory, LOCK_FILE));
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(file);
    const maxPages = Math.ceil(maxBytes / pragma(database, 'page_size'));
    const start = writerThreads({ file, maxPages }, logger);
    const queue = createWriteQueue(options.wrapWriter?.(start) ?? start, batchSizes(options.metrics));
    return storeOn(createLink(database, clock, random, queue), release);
  } catch (error) {
    database?.close();
    release();
    throw error;
  }
}

/** The port on one connection and one queue of writes. `release`: what is left to do when both are closed. */
export function storeOn(link: Link, release: () => void): Store {
  const collections = new Map<CollectionName, unknown>();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await link.queue.close();
    link.database.close();
    release();
  };
  return {
    kind: 'sqlite',
    collection: <D extends Document>(name: CollectionName) => {
      // One per name, whatever the caller's type: statements are prepared once.
      const known = collections.get(name) ?? createSqliteCollection<D>(link, name);
      collections.set(name, known);
      return known as Collection<D>;
    },
    counters: createSqliteCounters(link),
    changeLog: createSqliteChangeLog(link),
    auditTrail: createSqliteAuditTrail(link),
    ping: async (signal) => {
      // A true write, so that a full or failed disk shows here before a caller meets it.
      await link.queue.submit({ kind: 'beat', now: link.clock.now() }, 0, signal);
      link.read(signal, () => pragma(link.database, 'user_version'));
    },
    sweep: async (graceMs, signal) => {
      const upTo = link.clock.now() - graceMs;
      const count = await drain(link, { kind: 'sweepDocuments', upTo, limit: ROWS_PER_SWEEP }, signal);
      await drain(link, { kind: 'sweepCounters', upTo, limit: ROWS_PER_SWEEP }, signal);
      return count;
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function batchSizes(metrics: Metrics | undefined): ((size: number) => void) | undefined {
  const histogram = metrics?.histogram({
    name: 'store_batch_writes',
    help: 'Writes that one transaction of the embedded store committed.',
    labels: {},
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, MAX_BATCH],
  })({});
  return histogram && ((size) => histogram.observe(size));
}
