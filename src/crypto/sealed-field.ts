import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { type KeyRing, UnknownKeyError } from './key-ring.ts';

// Encrypted fields: JWE compact (RFC 7516), `dir` with A256GCM. The protected header, which the tag covers, names the key and the place,
// so a ciphertext that somebody moves to another tenant, document or field does not open there.

/** What may be sealed; each has a derived key of its own. */
export type SealedPurpose = 'totp-seed' | 'signing-key' | 'provider-secret' | 'check';

/** Where a sealed value lives. */
export interface Place {
  readonly collection: string;
  readonly tenant: string;
  readonly id: string;
  readonly field: string;
}

export interface Sealer {
  /** Encrypts under the current master key. */
  seal(purpose: SealedPurpose, place: Place, bytes: Uint8Array): Promise<string>;
  /** Decrypts; throws SealError when it was altered, moved, or sealed for something else, UnknownKeyError when its key is not on the ring. */
  open(purpose: SealedPurpose, place: Place, sealed: string): Promise<Uint8Array>;
  /**
   * The same value under the current master key; undefined when it is under that already. The value names its purpose and place itself, which
   * must be in the document `owner`: else it throws SealError.
   */
  reseal(owner: Omit<Place, 'field'>, sealed: string): Promise<string | undefined>;
  /** Id of the master key it was sealed under. Throws SealError when it is no sealed value. */
  keyIdOf(sealed: string): string;
}

/** A sealed value does not open here. The message holds neither the value nor the reason in detail. */
export class SealError extends Error {
  override readonly name = 'SealError';

  constructor(place: Place | undefined) {
    super(
      place === undefined
        ? 'not a sealed value'
        : `the sealed field ${place.field} of ${place.collection}/${place.tenant}/${place.id} does not open`,
    );
  }
}

// jose draws a random 96-bit IV, good for 2^32 seals per derived key (NIST SP 800-38D section 8.3): far above what a service seals.
const ALGORITHM = 'dir';
const ENCRYPTION = 'A256GCM';

export function createSealer(ring: KeyRing): Sealer {
  const sealer: Sealer = {
    seal: (purpose, place, bytes) =>
      new CompactEncrypt(bytes)
        .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, kid: ring.currentId, place: placeText(purpose, place) })
        .encrypt(ring.key(purpose)),
    open: async (purpose, place, sealed) => {
      const keyId = keyIdOf(sealed, place);
      const key = ring.key(purpose, keyId);
      try {
        const opened = await compactDecrypt(sealed, key, {
          keyManagementAlgorithms: [ALGORITHM],
          contentEncryptionAlgorithms: [ENCRYPTION],
        });
        if (opened.protectedHeader['place'] === placeText(purpose, place)) return opened.plaintext;
      } catch (error) {
        if (error instanceof UnknownKeyError) throw error;
      }
      throw new SealError(place);
    },
    reseal: async (owner, sealed) => {
      if (keyIdOf(sealed, undefined) === ring.currentId) return undefined;
      const { purpose, place } = placeOf(sealed);
      const isOwn = place.collection === owner.collection && place.tenant === owner.tenant && place.id === owner.id;
      if (!isOwn) throw new SealError(place);
      return sealer.seal(purpose, place, await sealer.open(purpose, place, sealed));
    },
    keyIdOf: (sealed) => keyIdOf(sealed, undefined),
  };
  return sealer;
}

/** Where a sealed value says that it belongs. True only if it then opens there. */
function placeOf(sealed: string): { readonly purpose: SealedPurpose; readonly place: Place } {
  try {
    const [purpose, collection, tenant, id, field] = JSON.parse(String(decodeProtectedHeader(sealed)['place']));
    if ([purpose, collection, tenant, id, field].every((part) => typeof part === 'string')) {
      return { purpose, place: { collection, tenant, id, field } };
    }
  } catch {
    // Falls through: it names no place.
  }
  throw new SealError(undefined);
}

function keyIdOf(sealed: string, place: Place | undefined): string {
  try {
    const { kid } = decodeProtectedHeader(sealed);
    if (typeof kid === 'string') return kid;
  } catch {
    // Falls through: it is no JWE at all.
  }
  throw new SealError(place);
}

/** JSON keeps the parts apart whatever they contain. */
function placeText(purpose: SealedPurpose, place: Place): string {
  return JSON.stringify([purpose, place.collection, place.tenant, place.id, place.field]);
}
