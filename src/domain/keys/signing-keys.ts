import { type CryptoKey, importJWK, type JWK } from 'jose';
import { parseObject, type SigningAlgorithm } from '../../crypto/jws.ts';
import type { Sealer } from '../../crypto/sealed-field.ts';
import type { Clock } from '../../platform/clock.ts';
import { createCredentialCache } from '../../platform/credential-cache.ts';
import { Fault } from '../../platform/faults.ts';
import type { Collection, Store } from '../storage.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import {
  draftKeySet,
  type KeySetDocument,
  privateKeyPlace,
  SIGNING_KEY_SET_ID,
  type SigningKeyRecord,
} from './key-set.ts';
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
  jwks(tenant: string, signal?: AbortSignal): Promise<JsonWebKeySet>;
  /** To be called when the log says `key_set`: what is in memory, or being read, counts no more. */
  forget(tenant: string): void;
}

interface LoadedKeySet {
  readonly records: readonly SigningKeyRecord[];
  readonly verifiers: ReadonlyMap<string, SigningKey>;
  /** Opened when first needed: a process that only verifies never decrypts a private key. */
  signing: Promise<SigningKey> | undefined;
}

interface Ports {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
}

const MAX_TENANTS = 1_000;
const MAX_AGE_MS = 60_000;
const UNKNOWN_KID_PAUSE_MS = 1_000;

export function createSigningKeys(ports: Ports): SigningKeys {
  const { clock } = ports;
  const keySets = ports.store.collection<KeySetDocument>('keySets');
  const cache = createCredentialCache<LoadedKeySet>({ max: MAX_TENANTS, maxAgeMs: MAX_AGE_MS, clock });
  const unknownKidReads = createCredentialCache<true>({ max: MAX_TENANTS, maxAgeMs: UNKNOWN_KID_PAUSE_MS, clock });
  // Grows with each `forget`: a read that began before one is answered but not kept.
  let forgotten = 0;

  const read = async (tenant: string, create: boolean, signal: AbortSignal | undefined) => {
    const keep = cache.begin(() => forgotten);
    const document = await readKeySet(ports, keySets, tenant, create, signal);
    if (document === undefined) return undefined;
    const loaded = await loadKeySet(document);
    keep(tenant, loaded);
    return loaded;
  };
  const loaded = async (tenant: string, signal: AbortSignal | undefined): Promise<LoadedKeySet> => {
    const found = cache.get(tenant) ?? (await read(tenant, true, signal));
    if (found === undefined) throw new Fault('UNAVAILABLE', 'the signing keys could not be read');
    return found;
  };
  return {
    signer: async (tenant, signal) => {
      const keySet = await loaded(tenant, signal);
      keySet.signing ??= openSigner(ports.sealer, tenant, keySet.records);
      keySet.signing.catch(() => {
        keySet.signing = undefined;
      });
      return keySet.signing;
    },
    verifier: async (tenant, kid, signal) => {
      const known = cache.get(tenant)?.verifiers.get(kid);
      if (known !== undefined) return known;
      // Anybody can invent a kid. A key is published long before it signs, so that waiting a second to look again loses nobody.
      if (unknownKidReads.get(tenant) !== undefined) return undefined;
      unknownKidReads.begin(() => 0)(tenant, true);
      return (await read(tenant, false, signal))?.verifiers.get(kid);
    },
    jwks: async (tenant, signal) =>
      tenant === SYSTEM_TENANT ? { keys: [] } : publicKeys((await loaded(tenant, signal)).records),
    forget: (tenant) => {
      forgotten += 1;
      cache.delete(tenant);
    },
  };
}

async function readKeySet(
  ports: Ports,
  keySets: Collection<KeySetDocument>,
  tenant: string,
  create: boolean,
  signal: AbortSignal | undefined,
): Promise<KeySetDocument | undefined> {
  const found = await keySets.get(tenant, SIGNING_KEY_SET_ID, signal);
  if (found !== undefined || !create) return found;
  const inserted = await keySets.insert(await draftKeySet(tenant, ports.sealer, ports.clock.now()), signal);
  // Somebody else made it meanwhile: theirs counts, ours has signed nothing.
  return inserted.kind === 'inserted' ? inserted.document : keySets.get(tenant, SIGNING_KEY_SET_ID, signal);
}

async function loadKeySet(document: KeySetDocument): Promise<LoadedKeySet> {
  const verifiers = new Map<string, SigningKey>();
  for (const { kid, algorithm, publicJwk } of document.signingKeys) {
    verifiers.set(kid, { kid, algorithm, key: await importKey({ ...publicJwk }, algorithm) });
  }
  return { records: document.signingKeys, verifiers, signing: undefined };
}

async function openSigner(sealer: Sealer, tenant: string, records: readonly SigningKeyRecord[]): Promise<SigningKey> {
  const active = records.find((record) => record.status === 'active');
  if (active === undefined) throw new Fault('UNAVAILABLE', 'the tenant has no active signing key');
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
      kty: publicJwk.kty,
      use: 'sig',
      alg: algorithm,
      kid,
      crv: publicJwk.crv,
      x: publicJwk.x,
      y: publicJwk.y,
    })),
  };
}
