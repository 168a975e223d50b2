import { join } from 'node:path';
import type { RandomSource } from '../platform/random.ts';
import { readMasterKeys } from '../settings/read-master-keys.ts';
import type { Settings } from '../settings/settings-table.ts';
import { createSecretFile, readSecretFile, removeDrafts } from './secret-file.ts';
import { StartFailure } from './start-failure.ts';

export interface MasterKeys {
  readonly keys: readonly string[];
  /** Absolute path of the generated file, where the operator gave no key. */
  readonly generatedFile: string | undefined;
}

/** Its name in the data directory. */
export const MASTER_KEY_FILE = 'master.key';
const BYTES = 32;

/**
 * The operator's master keys or, with the embedded store only, the one in the data directory, which is made at the first start. `storeHasData`:
 * the store was used before, so that a missing file is a loss and not a beginning.
 */
export async function obtainMasterKeys(
  settings: Settings,
  directory: string,
  random: RandomSource,
  storeHasData: () => Promise<boolean>,
): Promise<MasterKeys> {
  if (settings.store.kind === 'sqlite') await removeDrafts(directory);
  const found = await readMasterKeys(settings);
  if (found.kind === 'found') return { keys: found.keys, generatedFile: undefined };
  if (found.kind === 'invalid') {
    throw new StartFailure(found.problems.map(({ variable, text }) => `${variable} ${text}`).join('\n'));
  }
  if (settings.store.kind !== 'sqlite') {
    throw new StartFailure('SALLYPORT_MASTER_KEYS is needed with MongoDB: every replica must have the same key.');
  }
  const path = join(directory, MASTER_KEY_FILE);
  const existing = await readSecretFile(path);
  if (existing !== undefined) return { keys: existing.split(',').map((key) => key.trim()), generatedFile: path };
  if (await storeHasData()) {
    throw new StartFailure(
      `${path} is missing, but the store in ${directory} was written under a master key. Restore the file, or give the key in SALLYPORT_MASTER_KEYS.`,
    );
  }
  const made = await createSecretFile(path, Buffer.from(random.bytes(BYTES)).toString('base64url'));
  return { keys: [made], generatedFile: path };
}
