import { join, resolve } from 'node:path';
import { createSecretFile, readSecretFile } from '../../cli/secret-file.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import { createSealer } from '../../crypto/sealed-field.ts';
import { recoverAdmin } from '../../domain/caller/bootstrap.ts';
import { builtInPolicy } from '../../domain/caller/built-in-roles.ts';
import { newApiKeyText } from '../../domain/keys/api-key-text.ts';
import { checkMasterKey, hasMasterKeyCheck } from '../../domain/keys/master-key-check.ts';
import { createFollower } from '../../replication/follower.ts';
import { keyRingHere } from './master-keys-here.ts';
import { assertWholeStore, type OfflineContext, storeToWrite } from './offline-context.ts';

const FILE = 'admin.key';

/**
 * `sallyport admin recover`: whoever has the store and its master key is the administrator. The key is in its file, synced, before it works, and is
 * told to nobody. Beside a running service only on MongoDB; the embedded store is locked by one.
 */
export async function recoverAdminKey(context: OfflineContext, file: string | undefined): Promise<string> {
  const { directory, clock, random, logger } = context;
  const path = file === undefined ? join(directory, FILE) : resolve(file);
  const store = await storeToWrite(context);
  await assertWholeStore(store);
  const ring = await keyRingHere(context);
  if (ring === undefined) throw new StartFailure('the master key is needed: SALLYPORT_MASTER_KEYS or its file');
  if (!(await hasMasterKeyCheck(store))) throw new StartFailure('nothing was ever stored here: start the service once');
  if ((await checkMasterKey({ store, sealer: createSealer(ring) })) === 'wrong') {
    throw new StartFailure('the master key that is set is not the one that the data in the store was written under');
  }
  if ((await readSecretFile(path)) !== undefined) {
    throw new StartFailure(`${path} is there already: move it away, or name another file with --out`);
  }
  const text = newApiKeyText(random, false);
  if ((await createSecretFile(path, text.text)) !== text.text) {
    throw new StartFailure(`${path} was made by somebody else at the same moment`);
  }
  const follower = createFollower({ log: store.changeLog, clock, random, logger, builtIn: builtInPolicy });
  try {
    await recoverAdmin({ store, replicas: follower, ring, clock, random }, text);
  } finally {
    await follower.stop();
  }
  return path;
}
