import { join } from 'node:path';
import { type ApiKeyText, newApiKeyText, parseApiKeyText } from '../domain/keys/api-key-text.ts';
import type { RandomSource } from '../platform/random.ts';
import type { Settings } from '../settings/settings-table.ts';
import { createSecretFile, readSecretFile } from './secret-file.ts';
import { StartFailure } from './start-failure.ts';

const FILE = 'admin.key';

/** Where the first administrator's key is, or will be. */
export function adminKeyFile(settings: Settings, directory: string): string {
  return settings.bootstrapKeyFile ?? join(directory, FILE);
}

/**
 * The first administrator's key for a store that has none. With the embedded store it is made and synced to `admin.key` before it counts; a
 * shared store takes it from SALLYPORT_BOOTSTRAP_KEY_FILE, so that every replica has the same.
 */
export async function firstAdminKey(settings: Settings, directory: string, random: RandomSource): Promise<ApiKeyText> {
  const path = adminKeyFile(settings, directory);
  const existing = await readSecretFile(path);
  if (existing !== undefined) return parsed(existing, path);
  if (settings.bootstrapKeyFile !== undefined) {
    throw new StartFailure(`SALLYPORT_BOOTSTRAP_KEY_FILE names ${path}, which is not there. ${HOW_TO_MAKE}`);
  }
  if (settings.store.kind !== 'sqlite') {
    throw new StartFailure(
      `the store has no administrator yet, and SALLYPORT_BOOTSTRAP_KEY_FILE is not set. ${HOW_TO_MAKE}`,
    );
  }
  return parsed(await createSecretFile(path, newApiKeyText(random, false).text), path);
}

const HOW_TO_MAKE =
  'Make one with `npm start --silent -- generate admin-key > FILE` and give the file to every replica.';

function parsed(text: string, path: string): ApiKeyText {
  const key = parseApiKeyText(text);
  if (key === undefined) {
    throw new StartFailure(`${path} holds no valid API key (its form or its checksum is wrong). ${HOW_TO_MAKE}`);
  }
  return key;
}
