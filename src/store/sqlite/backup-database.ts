import { closeSync, constants, fsyncSync, openSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { createPrivately, openFault } from './database.ts';
import { openSnapshot } from './read-sqlite-store.ts';
import { StoreOpenError } from './store-open-error.ts';

/** Pages of one step; between two of them other work of this process gets its turn. */
const PAGES_PER_STEP = 2000;

/**
 * Copies the database to `target`, a new file that only its owner may read, while a service goes on writing: the copy is the one state of the
 * moment at which it began. (SQLite's backup begins anew whenever somebody else writes, except inside a read transaction, which is held
 * here.) The copy stands alone, without a write-ahead log, is checked page by page, and is on the disk when this resolves. Throws StoreOpenError,
 * or what the disk says; then a part of the copy may be left.
 */
export async function backupDatabase(
  file: string,
  target: string,
  onPages: (done: number, total: number) => void,
): Promise<void> {
  const source = openSnapshot(file);
  try {
    createPrivately(target);
    await backup(source, target, {
      rate: PAGES_PER_STEP,
      progress: ({ totalPages, remainingPages }) => onPages(totalPages - remainingPages, totalPages),
    });
  } finally {
    source.close();
  }
  finishCopy(target);
}

/** Makes a copied database one file that holds everything, and checks it. Throws StoreOpenError when it is damaged. */
function finishCopy(target: string): void {
  let copy: DatabaseSync | undefined;
  try {
    copy = new DatabaseSync(target);
    // A file in WAL mode could not be opened from where nothing may be written.
    copy.exec('PRAGMA journal_mode = DELETE');
    checkIntegrity(copy, target);
  } catch (error) {
    throw openFault(target, error);
  } finally {
    copy?.close();
  }
  syncFile(target);
}

/** Throws StoreOpenError when a page or an index is damaged (https://sqlite.org/pragma.html#pragma_integrity_check). */
export function checkIntegrity(database: DatabaseSync, file: string): void {
  const found = String(database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check']);
  if (found !== 'ok') throw new StoreOpenError('NOT_A_STORE', `${file} is damaged: ${found}`);
}

function syncFile(path: string): void {
  const descriptor = openSync(path, constants.O_RDWR);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
