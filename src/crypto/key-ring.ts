import { hash, hkdfSync } from 'node:crypto';

// Master keys and what is derived from them: one key per purpose by HKDF-SHA-256 (RFC 5869), so that no two uses ever share key
// material. The first master key is the current one; the others still verify and decrypt what was made under them.

/** What a derived key is for. The text is part of the derivation: renaming one orphans everything made with it. */
export type Purpose =
  | 'refresh-mac'
  | 'api-key-mac'
  | 'password-pepper'
  | 'csrf'
  | 'totp-seed'
  | 'signing-key'
  | 'request-id'
  | 'recovery-code'
  | 'proof'
  | 'provider-secret'
  | 'federation'
  | 'check';

export interface KeyRing {
  /** Id of the master key that new things are made with. */
  readonly currentId: string;
  /** Ids of all master keys, current first. */
  readonly ids: readonly string[];
  /** 32 bytes, derived once. `keyId` defaults to the current one; an id that is not on the ring throws UnknownKeyError. */
  key(purpose: Purpose, keyId?: string): Uint8Array;
}

/** Something was made under a master key that this process was not given. */
export class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError';
  readonly keyId: string;

  constructor(keyId: string) {
    super(`no master key with id ${JSON.stringify(keyId.slice(0, ID_CHARS))} is configured`);
    this.keyId = keyId;
  }
}

const MASTER_KEY_BYTES = 32;
const MAX_MASTER_KEYS = 16;
const ID_CHARS = 8;
const INFO_PREFIX = 'sallyport/v1/';

/**
 * `masterKeys`: 32 bytes each as base64url or base64, current first, 1 to 16. Throws RangeError, which names the position and never the
 * value, when one is malformed or given twice.
 */
export function createKeyRing(masterKeys: readonly string[]): KeyRing {
  if (masterKeys.length === 0 || masterKeys.length > MAX_MASTER_KEYS) {
    throw new RangeError(`1 to ${MAX_MASTER_KEYS} master keys are needed, got ${masterKeys.length}`);
  }
  const masters = new Map<string, Uint8Array>();
  masterKeys.forEach((text, index) => {
    const master = parseMasterKey(text, index);
    const id = keyIdOf(master);
    if (masters.has(id)) throw new RangeError(`master key ${index + 1} is given twice`);
    masters.set(id, master);
  });
  const ids = [...masters.keys()];
  const currentId = ids[0] ?? '';
  const derived = new Map<string, Uint8Array>();
  return {
    currentId,
    ids,
    key: (purpose, keyId = currentId) => {
      const name = `${keyId}/${purpose}`;
      const known = derived.get(name);
      if (known !== undefined) return known;
      const master = masters.get(keyId);
      if (master === undefined) throw new UnknownKeyError(keyId);
      const key = derive(master, purpose);
      derived.set(name, key);
      return key;
    },
  };
}

function derive(master: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', master, '', INFO_PREFIX + info, 32));
}

/** Names a master key without telling anything about it: 48 bits of a digest of a value derived for this alone. */
function keyIdOf(master: Uint8Array): string {
  return hash('sha256', derive(master, 'key-id'), 'base64url').slice(0, ID_CHARS);
}

function parseMasterKey(text: string, index: number): Uint8Array {
  const base64url = text.trim().replaceAll('+', '-').replaceAll('/', '_').replace(/=$/, '');
  const bytes = Buffer.from(base64url, 'base64url');
  // Node skips what it does not know, so only a value that comes out the same was one.
  if (bytes.length !== MASTER_KEY_BYTES || bytes.toString('base64url') !== base64url) {
    throw new RangeError(`master key ${index + 1} is not ${MASTER_KEY_BYTES} bytes in base64url or base64`);
  }
  return new Uint8Array(bytes);
}
