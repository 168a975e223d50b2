import { join } from 'node:path';
import { MASTER_KEY_FILE } from '../../cli/master-keys.ts';
import { readSecretFile } from '../../cli/secret-file.ts';
import { StartFailure } from '../../cli/start-failure.ts';
import { createKeyRing, type KeyRing } from '../../crypto/key-ring.ts';
import { createSealer, type Sealer } from '../../crypto/sealed-field.ts';
import { readMasterKeys } from '../../settings/read-master-keys.ts';
import type { OfflineContext } from './offline-context.ts';

/** The master keys that a service would use here; undefined: none are set, and there is no file. None are made. Throws StartFailure. */
export async function keyRingHere({ settings, directory }: OfflineContext): Promise<KeyRing | undefined> {
  const found = await readMasterKeys(settings);
  if (found.kind === 'found') return createKeyRing(found.keys);
  if (found.kind === 'invalid') {
    throw new StartFailure(found.problems.map(({ variable, text }) => `${variable} ${text}`).join('\n'));
  }
  if (settings.store.kind !== 'sqlite') return undefined;
  const text = await readSecretFile(join(directory, MASTER_KEY_FILE));
  return text === undefined ? undefined : createKeyRing(text.split(',').map((key) => key.trim()));
}

export async function sealerHere(context: OfflineContext): Promise<Sealer | undefined> {
  const ring = await keyRingHere(context);
  return ring === undefined ? undefined : createSealer(ring);
}
