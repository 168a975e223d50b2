import { DatabaseSync } from 'node:sqlite';
import type { Store } from '../../domain/storage.ts';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { RandomSource } from '../../platform/random.ts';
import { checkFormat, openFault } from './database.ts';
import { createLink } from './link.ts';
import { storeOn } from './open-sqlite-store.ts';
import type { WriteQueue } from './write-queue.ts';

/** How long a statement waits while another program holds the file. */
const BUSY_TIMEOUT_MS = 2000;

/**
 * Opens a database only to read it, beside a service that may be writing: all reads see the one state that it had at this moment (WAL snapshot
 * isolation, https://sqlite.org/isolation.html). While it is open the write-ahead log cannot be taken back, so it grows. Writes throw UNAVAILABLE.
 * Throws StoreOpenError when the file is not there, or no store of this release.
 */
export function openSqliteReader(file: string, parts: { readonly clock: Clock; readonly random: RandomSource }): Store {
  const database = openSnapshot(file);
  return storeOn(createLink(database, parts.clock, parts.random, noWrites), () => {});
}

/** A connection that reads one state. Throws StoreOpenError. */
export function openSnapshot(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    database.exec('BEGIN');
    // The first read fixes the state.
    checkFormat(database, file);
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch (error) {
    database?.close();
    throw openFault(file, error);
  }
}

const noWrites: WriteQueue = {
  submit: async () => {
    throw new Fault('UNAVAILABLE', 'this store is open for reading only');
  },
  depth: () => 0,
  close: async () => {},
};
