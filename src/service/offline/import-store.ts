import { resolve } from 'node:path';
import type { ImportReport, OnProgress } from '../../cli/command/offline-work.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import { beginImport, endImport, importUnderWay, markVerified } from '../../domain/import-mark.ts';
import { masterKeyOpens } from '../../domain/keys/master-key-check.ts';
import { collectionNames, type Store } from '../../domain/storage.ts';
import { allTenants } from '../../domain/tenant/all-tenants.ts';
import { markRestored } from '../../replication/restored-log.ts';
import { compareLines } from './compare-lines.ts';
import { sealerHere } from './master-keys-here.ts';
import { type OfflineContext, storeToWrite } from './offline-context.ts';
import { checkPortableFile, linesOf, type PortableFile } from './portable-file.ts';
import { writeLines } from './write-lines.ts';

/**
 * `sallyport import`: an export into an empty store of either kind. First the whole file is checked, then a mark keeps services from starting, then
 * everything is written, read back and compared, and the logs begin another history. Whatever ends it in between, the same command goes on:
 * each write is one that can be repeated.
 */
export async function importStore(
  context: OfflineContext,
  source: string,
  onProgress: OnProgress,
): Promise<ImportReport> {
  const signal = context.lifecycle.stopping;
  const path = resolve(source);
  const file = await checkPortableFile(path, (count) => onProgress(`checked ${count} lines`));
  const opens = await keysOpen(context, file);
  const store = await storeToWrite(context);
  const underWay = await importUnderWay(store, signal);
  if (underWay === undefined) {
    await assertEmpty(store, file);
    if (!(await beginImport(store, file.end.sha256, signal))) throw new StartFailure('another import has just begun');
  } else if (underWay.source !== file.end.sha256) {
    throw new StartFailure('the import of another file did not finish here: finish that one, or empty the store');
  }
  if (underWay?.state !== 'verified') {
    await writeLines(context, store, file, onProgress);
    await compareLines(context, store, file, onProgress);
    await markVerified(store, signal);
  }
  await markRestored({ ...context, store }, signal);
  await endImport(store, signal);
  return { ...file.end, wasResumed: underWay !== undefined, opens };
}

/** A service that ran on it once has made tenants, keys and its first administrator. */
async function assertEmpty(store: Store, file: PortableFile): Promise<void> {
  for (const tenant of new Set([...(await allTenants(store)), ...file.header.tenants])) {
    for (const name of collectionNames) {
      if ((await store.collection(name).list(tenant, { limit: 1 })).length > 0) throw new StartFailure(NOT_EMPTY);
    }
    const { newest } = await store.changeLog.bounds(`policy/${tenant}`);
    if (newest > 0) throw new StartFailure(NOT_EMPTY);
  }
}

const NOT_EMPTY = 'the store is not empty: an import takes a new data directory, or a new database';

/** Found out before anything is written; undefined: no master keys are here yet, or nothing was ever sealed. */
async function keysOpen(context: OfflineContext, file: PortableFile): Promise<boolean | undefined> {
  const sealer = await sealerHere(context);
  if (sealer === undefined) return undefined;
  for await (const line of linesOf(file)) {
    const sealed = 'document' in line && line.collection === 'keySets' ? line.document['sealedCheck'] : undefined;
    if (typeof sealed !== 'string') continue;
    if (await masterKeyOpens(sealer, sealed)) return true;
    throw new StartFailure('the master keys that are set here are not those that the export was written under');
  }
  return undefined;
}
