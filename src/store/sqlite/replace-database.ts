import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { backupDatabase } from './backup-database.ts';
import { lockDirectory } from './directory-lock.ts';
import { DATABASE_FILE, LOCK_FILE } from './open-sqlite-store.ts';

/** Where a database is made ready before it takes its place; what a killed run left in it is overwritten. */
const STAGE = '.restoring';
const COMPANIONS = ['-wal', '-shm'];

export interface Replacement {
  /** A directory whose database the caller may open as a store, and must close, before it is put in place. */
  readonly stage: string;
  /** Whether the data directory holds a database that would be replaced. */
  readonly replaces: boolean;
  /**
   * Puts the staged database in place of the one that is there, in one step: a kill leaves the one or the other, whole. `keepAs`: the name in
   * the data directory under which the old one stays.
   */
  commit(keepAs: string): void;
  /** Removes the stage and frees the directory. */
  release(): void;
}

/**
 * Takes the data directory for a database that will come into it. Throws StoreOpenError IN_USE while a service uses it. `source`: the file that is
 * copied to the stage and checked; undefined: the stage is empty.
 */
export async function stageDatabase(
  directory: string,
  source: string | undefined,
  onPages: (done: number, total: number) => void,
): Promise<Replacement> {
  const unlock = lockDirectory(directory, join(directory, LOCK_FILE));
  const stage = join(directory, STAGE);
  const place = join(directory, DATABASE_FILE);
  const release = (): void => {
    rmSync(stage, { recursive: true, force: true });
    unlock();
  };
  try {
    rmSync(stage, { recursive: true, force: true });
    mkdirSync(stage, { mode: 0o700 });
    if (source !== undefined) await backupDatabase(source, join(stage, DATABASE_FILE), onPages);
  } catch (error) {
    release();
    throw error;
  }
  return {
    stage,
    replaces: existsSync(place),
    commit: (keepAs) => {
      if (existsSync(place)) keepOld(place, join(directory, keepAs));
      renameSync(join(stage, DATABASE_FILE), place);
      syncDirectory(directory);
    },
    release,
  };
}

/** Its write-ahead log must be gone before another database comes to its name: SQLite would take it for that one's. */
function keepOld(place: string, kept: string): void {
  try {
    // The last connection to close copies the log into the file and removes it.
    const old = new DatabaseSync(place);
    old.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    old.close();
  } catch {
    // Damaged: then the log goes with it, as it is.
  }
  linkSync(place, kept);
  for (const suffix of COMPANIONS) if (existsSync(place + suffix)) renameSync(place + suffix, kept + suffix);
}

/** Directories cannot be opened for this on Windows, where the rename is durable by itself. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
