import { type CryptoKey, importJWK, type JWK } from 'jose';
import { parseObject, type SigningAlgorithm } from '../../crypto/jws.ts';
import type { Sealer } from '../../crypto/sealed-field.ts';
import type { Clock } from '../../platform/clock.ts';
import { createCredentialCache } from '../../platform/credential-cache.ts';
import { Fault } from '../../platform/faults.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Settle } from '../session/revocation.ts';
import type { Store } from '../storage.ts';
import { SYSTEM_TENANT, type TenantDirectory } from '../tenant/tenant.ts';
import { type KeyRotation, readOrMakeKeySet } from './key-rotation.ts';
import { type KeySetDocument, privateKeyPlace, SIGNING_KEY_SET_ID, type SigningKeyRecord } from './key-set.ts';
import { activeKey, dueAt } from './rotation.ts';
import type { JsonWebKeySet } from './use-cases.ts';

// Signing keys in memory. A key set is read at most once a minute and tenant, and again when the log says that it changed (`forget`).

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly key: CryptoKey;
}

export interface SigningKeys {
  /** The key that signs, made on first use. Two replicas that race to make it end with the same one: the insert decides. */
  signer(tenant: string, signal?: AbortSignal): Promise<SigningKey>;
  /** A key that verifies, or undefined. Never makes a key set. An unknown kid costs one read per second and tenant at most. */
  verifier(tenant: string, kid: string, signal?: AbortSignal): Promise<SigningKey | undefined>;
  /** Public keys of the tenant (RFC 7517), the set made on first use. Empty for tenant `sallyport`, which signs nothing. */
  jwks(tenant: string): Promise<JsonWebKeySet>;
  /** To be called when the log says `key_set` or `signing_key`: what is in memory, or being read, counts no more. */
  forget(tenant: string): void;
}

interface LoadedKeySet {
  /** False: the tenant has none yet. */
  readonly exists: boolean;
  readonly records: readonly SigningKeyRecord[];
  /** Imported when first needed; undefined: not of the set. */
  readonly verifier: (kid: string) => Promise<SigningKey> | undefined;
  /** Opened when first needed: a process that only verifies never decrypts a private key. */
  signing: Promise<SigningKey> | undefined;
  /** Epoch ms at which the set is to be rotated or cleaned. */
  dueAt: number;
}

interface Ports {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly settle: Settle;
  readonly clock: Clock;
  readonly tenants: TenantDirectory;
  readonly logger: Logger;
  readonly rotation: Pick<KeyRotation, 'keep' | 'policy'>;
}

const MAX_TENANTS = 1_000;
const MAX_AGE_MS = 60_000;
const UNKNOWN_KID_PAUSE_MS = 1_000;
/** A rotation that failed is tried again after this. */
const RETRY_ROTATION_MS = 5_000;

export function createSigningKeys(ports: Ports): SigningKeys {
  const { clock } = ports;
  const keySets = ports.store.collection<KeySetDocument>('keySets');
  const cache = createCredentialCache<LoadedKeySet>({ max: MAX_TENANTS, maxAgeMs: MAX_AGE_MS, clock });
  const unknownKidReads = createCredentialCache<true>({ max: MAX_TENANTS, maxAgeMs: UNKNOWN_KID_PAUSE_MS, clock });
  // Grows with each `forget`: a read that began before one is answered but not kept.
  let forgotten = 0;

  const reading = new Map<string, Promise<LoadedKeySet>>();

  const readNow = async (tenant: string, create: boolean): Promise<LoadedKeySet> => {
    const keep = cache.begin(() => forgotten);
    const document = create
      ? await readOrMakeKeySet(ports, tenant, undefined)
      : await keySets.get(tenant, SIGNING_KEY_SET_ID);
    const loaded = loadKeySet(document, ports);
    keep(tenant, loaded);
    return loaded;
  };
  // Whoever comes while a read is under way shares it, unless the set changed since that began.
  const read = (tenant: string, create: boolean): Promise<LoadedKeySet> => {
    const place = `${tenant} ${create} ${forgotten}`;
    const underWay = reading.get(place);
    if (underWay !== undefined) return underWay;
    const run = readNow(tenant, create).finally(() => reading.delete(place));
    reading.set(place, run);
    return run;
  };
  const loaded = async (tenant: string): Promise<LoadedKeySet> => {
    const cached = cache.get(tenant);
    const found = cached?.exists === true ? cached : await read(tenant, true);
    if (!found.exists) throw new Fault('UNAVAILABLE', 'the signing keys could not be read');
    return found;
  };
  // A tenant that signs nothing needs no new key, so rotation hangs on signing and not on a timer over all tenants. The token at hand does
  // not wait for it: the old key is good until the new one is.
  const keepRotated = (tenant: string, keySet: LoadedKeySet): void => {
    const now = clock.now();
    if (now < keySet.dueAt) return;
    keySet.dueAt = now + RETRY_ROTATION_MS;
    ports.rotation.keep(tenant).catch((error: unknown) => {
      ports.logger.warn({ err: error, tenant }, 'the signing keys could not be rotated; it is tried again');
    });
  };
  return {
    signer: async (tenant, signal) => {
      const keySet = await loaded(tenant);
      signal?.throwIfAborted();
      keepRotated(tenant, keySet);
      keySet.signing ??= openSigner(ports.sealer, tenant, keySet.records);
      keySet.signing.catch(() => {
        keySet.signing = undefined;
      });
      return keySet.signing;
    },
    verifier: async (tenant, kid, signal) => {
      const cached = cache.get(tenant);
      const known = (cached ?? (await read(tenant, false))).verifier(kid);
      signal?.throwIfAborted();
      // Anybody can invent a kid. A key is published long before it signs, so that waiting a second to look again loses nobody; and after a
      // change the set is read in any case.
      if (known !== undefined || unknownKidReads.get(tenant) !== undefined) return known;
      unknownKidReads.begin(() => 0)(tenant, true);
      return cached === undefined ? undefined : (await read(tenant, false)).verifier(kid);
    },
    jwks: async (tenant) => (tenant === SYSTEM_TENANT ? { keys: [] } : publicKeys((await loaded(tenant)).records)),
    forget: (tenant) => {
      forgotten += 1;
      cache.delete(tenant);
    },
  };
}

function loadKeySet(document: KeySetDocument | undefined, { tenants, rotation }: Ports): LoadedKeySet {
  if (document === undefined) {
    return { exists: false, records: [], verifier: () => undefined, signing: undefined, dueAt: 0 };
  }
  const records = document.signingKeys.filter(({ status }) => status !== 'revoked');
  const byKid = new Map(records.map((record) => [record.kid, record]));
  const imported = new Map<string, Promise<SigningKey>>();
  const verifier: LoadedKeySet['verifier'] = (kid) => {
    const record = byKid.get(kid);
    if (record === undefined) return undefined;
    const key = imported.get(kid) ?? openVerifier(record);
    imported.set(kid, key);
    return key;
  };
  const algorithm = tenants.peek(document.tenant)?.signingAlgorithm ?? activeKey(records)?.algorithm ?? 'ES256';
  const due = dueAt(document.signingKeys, algorithm, rotation.policy);
  return { exists: true, records, verifier, signing: undefined, dueAt: due };
}

async function openVerifier({ kid, algorithm, publicJwk }: SigningKeyRecord): Promise<SigningKey> {
  return { kid, algorithm, key: await importKey({ ...publicJwk }, algorithm) };
}

async function openSigner(sealer: Sealer, tenant: string, records: readonly SigningKeyRecord[]): Promise<SigningKey> {
  const active = activeKey(records);
  if (active?.sealedPrivateJwk === undefined) throw new Fault('UNAVAILABLE', 'the tenant has no active signing key');
  const bytes = await sealer.open('signing-key', privateKeyPlace(tenant, active.kid), active.sealedPrivateJwk);
  const jwk = parseObject(bytes) as JWK | undefined;
  if (jwk === undefined) throw new Fault('UNAVAILABLE', 'the signing key could not be read');
  return { kid: active.kid, algorithm: active.algorithm, key: await importKey(jwk, active.algorithm) };
}

async function importKey(jwk: JWK, algorithm: SigningAlgorithm): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Fault('UNAVAILABLE', 'the signing key is not of its algorithm');
  return key;
}

function publicKeys(records: readonly SigningKeyRecord[]): JsonWebKeySet {
  return {
    keys: records.map(({ kid, algorithm, publicJwk }) => ({
      ...publicJwk,
      use: 'sig',
      alg: algorithm,
      kid,
    })),
  };
}
