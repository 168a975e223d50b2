import { closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { APPLICATION_ID, AUDIT_ABOUT, SCHEMA, STORE_FORMAT } from './schema.ts';
import { StoreOpenError } from './store-open-error.ts';

/** How long a statement waits while a foreign program (a backup, a shell) holds the file. */
const BUSY_TIMEOUT_MS = 2000;

/** Pages of 4 KiB in the write-ahead log before they are copied into the file: rarer copies, at most about 16 MB to replay. */
const CHECKPOINT_PAGES = 4000;

/** What a burst of large writes made the write-ahead log grow to is given back down to this. */
const WAL_KEPT_BYTES = 64 * 1024 * 1024;

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const NOT_A_DATABASE: ReadonlySet<number> = new Set([11, 26]);

/**
 * Opens the database for the main thread: makes the directory (0700) and the file (0600; SQLite gives its companions the same
 * mode) where they are missing, then the tables. Afterwards this connection only reads. Throws StoreOpenError.
 */
export function openDatabase(file: string): DatabaseSync {
  createPrivately(file);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384');
    prepareTables(database, file);
    // What a save of a checkpoint left behind when the process died before its manifest.
    database.exec('DELETE FROM checkpoint_chunk WHERE nonce NOT IN (SELECT nonce FROM checkpoint)');
    database.exec('PRAGMA query_only = ON');
    return database;
  } catch (error) {
    database?.close();
    throw openFault(file, error);
  }
}

/** Whatever was thrown while a database was opened, as an operator should see it. */
export function openFault(file: string, error: unknown): StoreOpenError {
  if (error instanceof StoreOpenError) return error;
  const reason = NOT_A_DATABASE.has(resultCode(error)) ? 'NOT_A_STORE' : 'NOT_ACCESSIBLE';
  return new StoreOpenError(reason, `cannot open the database ${file}: ${reasonOf(error)}`, error);
}

/** Opens the database for the writer thread, when the main thread has prepared it. */
export function openForWriting(file: string, maxPages: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  // FULL: a commit is on the disk before it is answered (https://sqlite.org/pragma.html#pragma_synchronous).
  database.exec(
    `PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
     PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`,
  );
  if (maxPages > 0) database.exec(`PRAGMA max_page_count = ${maxPages}`);
  return database;
}

/** An integer that a pragma answers. */
export function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Makes an empty file that only its owner may read, before SQLite would make one by the process's umask. */
export function createPrivately(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (!existsSync(file)) closeSync(openSync(file, constants.O_CREAT | constants.O_RDWR, 0o600));
  } catch (error) {
    throw new StoreOpenError('NOT_ACCESSIBLE', `cannot create ${file}: ${reasonOf(error)}`, error);
  }
}

/** The primary result code of an SQLite error (https://sqlite.org/rescode.html), 0 for any other. */
export function resultCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}

/** The message of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Throws StoreOpenError unless it is a store of this release's format. */
export function checkFormat(database: DatabaseSync, file: string): void {
  if (pragma(database, 'application_id') !== APPLICATION_ID) {
    throw new StoreOpenError('NOT_A_STORE', `${file} is no database of Sallyport`);
  }
  const format = pragma(database, 'user_version');
  if (format === STORE_FORMAT) return;
  throw new StoreOpenError(
    'NEWER_FORMAT',
    `${file} has store format ${format}, this release knows formats up to ${STORE_FORMAT}: start a newer release`,
  );
}

function prepareTables(database: DatabaseSync, file: string): void {
  if (pragma(database, 'application_id') === APPLICATION_ID) {
    checkFormat(database, file);
    database.exec(AUDIT_ABOUT);
    return;
  }
  if (database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined) {
    throw new StoreOpenError('NOT_A_STORE', `${file} is an SQLite database, but not one of Sallyport`);
  }
  database.exec(
    `BEGIN IMMEDIATE; ${SCHEMA}
    PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STORE_FORMAT}; COMMIT`,
  );
}
