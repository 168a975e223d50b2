import type { KeyRing } from '../../crypto/key-ring.ts';
import { keyedDigest, sameDigest } from '../../crypto/keyed-digest.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import type { Draft } from '../storage.ts';
import { formatSubject, type SubjectRef } from '../subject.ts';
import { API_KEY_PREFIX_CHARS, type ApiKeyText } from './api-key-text.ts';
import type { ApiKeyDocument } from './use-cases.ts';

// A stored API key: pure functions over its document. At rest there is an HMAC of the secret under a derived key, with the id of the
// master key, so that whoever reads the store can neither use a key nor test a guess.

export interface NewApiKey {
  readonly tenant: string;
  readonly text: ApiKeyText;
  readonly subject: SubjectRef;
  readonly displayName: string;
  readonly scopes: readonly string[];
  /** Epoch ms. */
  readonly validUntil?: number | undefined;
  readonly requestDigest?: string | undefined;
}

/** How long an ended key is kept, so that the answer can still say why it is no good. */
const KEPT_AFTER_END_MS = 90 * 24 * 60 * 60_000;

/** The document of a new key. Also for a key whose text exists already: the first admin key is in a file before it is in the store. */
export function draftApiKey(ring: KeyRing, key: NewApiKey, now: number): Draft<ApiKeyDocument> {
  const keyId = ring.currentId;
  return {
    tenant: key.tenant,
    id: key.text.id,
    schema: 1,
    keys: [key.text.id],
    owner: formatSubject(key.subject),
    expiresAt: key.validUntil === undefined ? undefined : key.validUntil + KEPT_AFTER_END_MS,
    subject: key.subject,
    displayName: key.displayName === '' ? undefined : key.displayName,
    test: key.text.test,
    prefix: key.text.text.slice(0, API_KEY_PREFIX_CHARS),
    secrets: [{ mac: apiKeyMac(ring, key.tenant, key.text, keyId), keyId, createdAt: now }],
    scopes: key.scopes,
    createdAt: now,
    validUntil: key.validUntil,
    requestDigest: key.requestDigest,
  };
}

/** The key as revoked now. */
export function revokedApiKey(key: ApiKeyDocument, now: number): Draft<ApiKeyDocument> {
  const until = now + KEPT_AFTER_END_MS;
  return { ...key, revokedAt: now, expiresAt: Math.min(key.expiresAt ?? until, until) };
}

/**
 * Until when the presented text is a secret of this key (epoch ms, Infinity: for good), or undefined when it is none. Every
 * secret is compared, in constant time.
 */
export function secretValidUntil(ring: KeyRing, key: ApiKeyDocument, text: ApiKeyText): number | undefined {
  let until: number | undefined;
  for (const secret of key.secrets) {
    // A key made under a master key that is gone cannot be checked: it is no secret of ours any more.
    if (!ring.ids.includes(secret.keyId)) continue;
    if (sameDigest(secret.mac, apiKeyMac(ring, key.tenant, text, secret.keyId)) && text.test === key.test) {
      until = Math.max(until ?? 0, secret.until ?? Number.POSITIVE_INFINITY);
    }
  }
  return until;
}

/** Why a key whose secret was right is no good now; undefined: it is good. Revoked wins, because it never comes back. */
export function endedReason(key: ApiKeyDocument, secretUntil: number, now: number): DecisionReason | undefined {
  if (key.revokedAt !== undefined) return 'CREDENTIAL_REVOKED';
  if (now >= Math.min(key.validUntil ?? Number.POSITIVE_INFINITY, secretUntil)) return 'CREDENTIAL_EXPIRED';
  return undefined;
}

function apiKeyMac(ring: KeyRing, tenant: string, text: ApiKeyText, keyId: string): string {
  return keyedDigest(ring, 'api-key-mac', [tenant, text.id, text.secret], keyId);
}
