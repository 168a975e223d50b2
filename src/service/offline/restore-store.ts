import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { OnProgress, RestoreReport } from '../../cli/command/offline-work.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import type { Sealer } from '../../crypto/sealed-field.ts';
import { checkMasterKey, hasMasterKeyCheck } from '../../domain/keys/master-key-check.ts';
import type { Store } from '../../domain/storage.ts';
import { markRestored } from '../../replication/restored-log.ts';
import { DATABASE_FILE, openSqliteStore } from '../../store/sqlite/open-sqlite-store.ts';
import { stageDatabase } from '../../store/sqlite/replace-database.ts';
import { checkCopy, pagesTold } from './backup-store.ts';
import { sealerHere } from './master-keys-here.ts';
import { databaseFile, type OfflineContext } from './offline-context.ts';

const ON_MONGODB = 'Use mongorestore and then `sallyport restore --mark`, or `sallyport import`.';

/**
 * `sallyport restore`: the backup is copied beside the place it will take, checked, marked as another history, and put there by one rename. A kill
 * leaves what was there before, or the restored store.
 */
export async function restoreStore(
  context: OfflineContext,
  source: string,
  replaces: boolean,
  onProgress: OnProgress,
): Promise<RestoreReport> {
  databaseFile(context, ON_MONGODB);
  const replacement = await stageDatabase(context.directory, resolve(source), pagesTold(onProgress));
  try {
    if (replacement.replaces && !replaces) {
      throw new StartFailure(
        `${context.directory} holds a store already; --force puts the backup in its place and keeps it`,
      );
    }
    onProgress('checking the logs');
    const staged = join(replacement.stage, DATABASE_FILE);
    const checked = await checkCopy(context, staged);
    const opens = await markCopy(context, replacement.stage);
    const { size } = await stat(staged);
    const kept = `${DATABASE_FILE}.before-${new Date(context.clock.now()).toISOString().replace(/[:.]/g, '-')}`;
    replacement.commit(kept);
    return { ...checked, bytes: size, kept: replacement.replaces ? kept : undefined, opens };
  } finally {
    replacement.release();
  }
}

/** Also tells whether the master keys that are there open it; keys that do not belong to it end the restore. */
async function markCopy(context: OfflineContext, stage: string): Promise<boolean | undefined> {
  const { clock, random } = context;
  const store = await openSqliteStore({ directory: stage, clock, random });
  try {
    const sealer = await sealerHere(context);
    const opens = sealer === undefined ? undefined : await isOpenedBy(store, sealer);
    if (opens === false) {
      throw new StartFailure('the master keys that are set here are not those that the backup was written under');
    }
    await markRestored({ store, clock, random });
    return opens;
  } finally {
    await store.close();
  }
}

/** A store that never had a master key has nothing sealed. */
async function isOpenedBy(store: Store, sealer: Sealer): Promise<boolean> {
  if (!(await hasMasterKeyCheck(store))) return true;
  return (await checkMasterKey({ store, sealer })) === 'ok';
}
