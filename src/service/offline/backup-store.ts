import { link, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { BackupReport, OnProgress } from '../../cli/command/offline-work.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import { checkLogs } from '../../replication/restored-log.ts';
import { backupDatabase } from '../../store/sqlite/backup-database.ts';
import { openSqliteReader } from '../../store/sqlite/read-sqlite-store.ts';
import { syncDirectory } from '../../store/sqlite/replace-database.ts';
import { assertMayReplace, databaseFile, type OfflineContext } from './offline-context.ts';

const ON_MONGODB = 'Use mongodump, or `sallyport export`.';

/**
 * `sallyport backup`: the copy is made and checked under another name beside the target and only then gets its own, so that there is never half a
 * backup. It holds no key: what is sealed in it needs the master key.
 */
export async function backupStore(
  context: OfflineContext,
  target: string,
  replaces: boolean,
  onProgress: OnProgress,
): Promise<BackupReport> {
  const file = databaseFile(context, ON_MONGODB);
  const path = resolve(target);
  if (replaces) await assertMayReplace(context, path);
  else if ((await sizeOf(path)) !== undefined) throw new StartFailure(isThere(path));
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  try {
    await rm(draft, { force: true });
    await backupDatabase(file, draft, pagesTold(onProgress));
    onProgress('checking the logs');
    const checked = await checkCopy(context, draft);
    await place(draft, path, replaces);
    return { ...checked, bytes: (await sizeOf(path)) ?? 0 };
  } finally {
    for (const suffix of ['', '-wal', '-shm']) await rm(draft + suffix, { force: true });
  }
}

/** Reads every log of a database file that is no service's. */
export async function checkCopy(
  context: OfflineContext,
  file: string,
): Promise<{ readonly logs: number; readonly entries: number }> {
  const store = openSqliteReader(file, context);
  try {
    const { streams, entries } = await checkLogs(store);
    return { logs: streams, entries };
  } finally {
    await store.close();
  }
}

export function pagesTold(onProgress: OnProgress): (done: number, total: number) => void {
  return (done, total) => onProgress(`copied ${done} of ${total} pages`);
}

/** A link does not replace what somebody else put there meanwhile. */
async function place(draft: string, path: string, replaces: boolean): Promise<void> {
  try {
    if (replaces) await rename(draft, path);
    else await link(draft, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw new StartFailure(isThere(path));
    throw error;
  }
  syncDirectory(dirname(path));
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

const isThere = (path: string): string => `${path} is there already; --force replaces it`;
