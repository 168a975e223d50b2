import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { SigningAlgorithm } from '../../crypto/jws.ts';
import type { Place, Sealer } from '../../crypto/sealed-field.ts';
import type { Document, Draft } from '../storage.ts';

// The keys that sign a tenant's access tokens: one document per tenant, so that rotating them is one swap.

/** RFC 7517, RFC 7518 section 6, RFC 8037: the public members by which a key is told from any other. */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string };

/**
 * `next` is published but does not sign yet, `active` signs, `retired` only verifies, `revoked` does neither and is shown. Exactly one is
 * active.
 */
export type SigningKeyStatus = 'next' | 'active' | 'retired' | 'revoked';

export interface SigningKeyRecord {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly status: SigningKeyStatus;
  /** Epoch ms; it is published from then on. */
  readonly createdAt: number;
  /** Epoch ms; undefined: it has not signed, or is of the time before rotation. */
  readonly activatedAt?: number | undefined;
  /** Epoch ms, of a retired or revoked one. */
  readonly retiredAt?: number | undefined;
  readonly publicJwk: PublicJwk;
  /** JWE of the private JWK, bound to tenant and kid. Gone when it signs no more: then nobody can sign with it, not even we. */
  readonly sealedPrivateJwk?: string | undefined;
}

export interface KeySetDocument extends Document {
  readonly signingKeys: readonly SigningKeyRecord[];
}

/** Id of the document in collection `keySets`. */
export const SIGNING_KEY_SET_ID = 'signing';

/** RFC 7518 section 3.3 asks for 2,048 bits at least; NIST SP 800-57 for 3,072 beyond 2030. */
const RSA_BITS = 3072;

/** Where a private key is sealed to. */
export function privateKeyPlace(tenant: string, kid: string): Place {
  return { collection: 'keySets', tenant, id: SIGNING_KEY_SET_ID, field: `signingKeys/${kid}/sealedPrivateJwk` };
}

/** The first key set of a tenant: what signs, and what will. */
export async function draftKeySet(
  tenant: string,
  sealer: Sealer,
  algorithm: SigningAlgorithm,
  now: number,
): Promise<Draft<KeySetDocument>> {
  const first = await newSigningKey(tenant, sealer, algorithm, now);
  const next = await newSigningKey(tenant, sealer, algorithm, now);
  const signingKeys = [{ ...first, status: 'active', activatedAt: now } as const, next];
  return { tenant, id: SIGNING_KEY_SET_ID, schema: 1, keys: [SIGNING_KEY_SET_ID], signingKeys };
}

/** A `next` key. Keys come from WebCrypto's own generator, the one thing here that no test can replay. */
export async function newSigningKey(
  tenant: string,
  sealer: Sealer,
  algorithm: SigningAlgorithm,
  now: number,
): Promise<SigningKeyRecord> {
  const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength: RSA_BITS });
  const privateJwk = await exportJWK(pair.privateKey);
  const publicJwk = publicPart(privateJwk);
  const kid = await calculateJwkThumbprint({ ...publicJwk });
  const bytes = new TextEncoder().encode(JSON.stringify(privateJwk));
  const sealedPrivateJwk = await sealer.seal('signing-key', privateKeyPlace(tenant, kid), bytes);
  return { kid, algorithm, status: 'next', createdAt: now, publicJwk, sealedPrivateJwk };
}

/** Only these members: nothing of a private key may slip through. */
function publicPart({ kty, x = '', y = '', n = '', e = '' }: JWK): PublicJwk {
  if (kty === 'RSA') return { kty: 'RSA', n, e };
  if (kty === 'OKP') return { kty: 'OKP', crv: 'Ed25519', x };
  return { kty: 'EC', crv: 'P-256', x, y };
}
