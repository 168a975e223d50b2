import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { SigningAlgorithm } from '../../crypto/jws.ts';
import type { Place, Sealer } from '../../crypto/sealed-field.ts';
import type { Document, Draft } from '../storage.ts';

// The keys that sign a tenant's access tokens: one document per tenant, so that rotating them is one swap.

export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

export interface SigningKeyRecord {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  /** `next` is published but does not sign yet, `active` signs, `retired` only verifies. Exactly one is active. */
  readonly status: 'next' | 'active' | 'retired';
  /** Epoch ms. */
  readonly createdAt: number;
  readonly publicJwk: PublicJwk;
  /** JWE of the private JWK, bound to tenant and kid. */
  readonly sealedPrivateJwk: string;
}

export interface KeySetDocument extends Document {
  readonly signingKeys: readonly SigningKeyRecord[];
}

/** Id of the document in collection `keySets`. */
export const SIGNING_KEY_SET_ID = 'signing';

/** Where a private key is sealed to. */
export function privateKeyPlace(tenant: string, kid: string): Place {
  return { collection: 'keySets', tenant, id: SIGNING_KEY_SET_ID, field: `signingKeys/${kid}/sealedPrivateJwk` };
}

/** The first key set of a tenant. Keys come from WebCrypto's own generator, the one thing here that no test can replay. */
export async function draftKeySet(tenant: string, sealer: Sealer, now: number): Promise<Draft<KeySetDocument>> {
  const key = await newSigningKey(tenant, sealer, 'active', now);
  return { tenant, id: SIGNING_KEY_SET_ID, schema: 1, keys: [SIGNING_KEY_SET_ID], signingKeys: [key] };
}

async function newSigningKey(
  tenant: string,
  sealer: Sealer,
  status: SigningKeyRecord['status'],
  now: number,
): Promise<SigningKeyRecord> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const privateJwk = await exportJWK(pair.privateKey);
  const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x: privateJwk.x ?? '', y: privateJwk.y ?? '' };
  const kid = await calculateJwkThumbprint({ ...publicJwk });
  const bytes = new TextEncoder().encode(JSON.stringify(privateJwk));
  const sealedPrivateJwk = await sealer.seal('signing-key', privateKeyPlace(tenant, kid), bytes);
  return { kid, algorithm: 'ES256', status, createdAt: now, publicJwk, sealedPrivateJwk };
}
