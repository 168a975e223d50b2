import { DatabaseSync } from 'node:sqlite';
import { createPrivately, reasonOf, resultCode } from './database.ts';
import { StoreOpenError } from './store-open-error.ts';

const SQLITE_BUSY = 5;

/**
 * Takes the data directory for this process. Node has no flock, so the lock is an SQLite file of its own, held in an open EXCLUSIVE
 * transaction: SQLite takes POSIX (or Windows) file locks, which the system frees when the process ends, however it ends.
 * Throws StoreOpenError IN_USE while anybody else holds it. Returns the release.
 */
export function lockDirectory(directory: string, lockFile: string): () => void {
  createPrivately(lockFile);
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(lockFile, { timeout: 0 });
    // In memory, so that a kill leaves no journal file behind; nothing is ever written.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if (resultCode(error) === SQLITE_BUSY) {
      throw new StoreOpenError(
        'IN_USE',
        `another Sallyport process is using the data directory ${directory}: stop it, or give this one its own directory`,
        error,
      );
    }
    throw new StoreOpenError(
      'NOT_ACCESSIBLE',
      `cannot lock the data directory ${directory}: ${reasonOf(error)}`,
      error,
    );
  }
  const held = lock;
  return () => held.close();
}
