import { newApiKeyText } from '../domain/keys/api-key-text.ts';
import type { RandomSource } from '../platform/random.ts';

/** What `sallyport generate` can make. */
export const GENERATED = ['admin-key', 'master-key'] as const;

const MASTER_KEY_BYTES = 32;

/**
 * A fresh secret for a file, with its line end; undefined when `kind` names none. `admin-key`: for SALLYPORT_BOOTSTRAP_KEY_FILE;
 * `master-key`: for SALLYPORT_MASTER_KEYS_FILE. Nothing is stored.
 */
export function generate(kind: string, random: RandomSource): string | undefined {
  switch (kind) {
    case 'admin-key':
      return `${newApiKeyText(random, false).text}\n`;
    case 'master-key':
      return `${Buffer.from(random.bytes(MASTER_KEY_BYTES)).toString('base64url')}\n`;
    default:
      return undefined;
  }
}
