import type { KeyRing } from '../../crypto/key-ring.ts';
import { keyedDigest, sameDigest } from '../../crypto/keyed-digest.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import type { Draft } from '../storage.ts';
import { formatSubject, type SubjectRef } from '../subject.ts';
import { API_KEY_PREFIX_CHARS, type ApiKeyText } from './api-key-text.ts';
import type { ApiKeyChanges, ApiKeyDocument, ApiKeyRate } from './use-cases.ts';

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
  readonly allowedNetworks?: readonly string[] | undefined;
  readonly rateLimit?: ApiKeyRate | undefined;
  readonly metadata?: { readonly [key: string]: string } | undefined;
  readonly allowedAudiences?: readonly string[] | undefined;
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
    expiresAt: keptUntil(key.validUntil),
    subject: key.subject,
    displayName: key.displayName === '' ? undefined : key.displayName,
    test: key.text.test,
    prefix: key.text.text.slice(0, API_KEY_PREFIX_CHARS),
    secrets: [{ mac: apiKeyMac(ring, key.tenant, key.text, keyId), keyId, createdAt: now }],
    scopes: key.scopes,
    createdAt: now,
    validUntil: key.validUntil,
    allowedNetworks: key.allowedNetworks,
    rateLimit: key.rateLimit,
    metadata: key.metadata,
    allowedAudiences: key.allowedAudiences,
    requestDigest: key.requestDigest,
  };
}

function keptUntil(validUntil: number | undefined): number | undefined {
  return validUntil === undefined ? undefined : validUntil + KEPT_AFTER_END_MS;
}

/** The key with these changes. */
export function changedApiKey(
  key: ApiKeyDocument,
  changes: ApiKeyChanges,
  cleared: ReadonlySet<keyof ApiKeyChanges>,
): Draft<ApiKeyDocument> {
  const none = Object.fromEntries([...cleared].map((name) => [name, undefined]));
  const changed = { ...key, ...changes, ...none };
  return { ...changed, scopes: changed.scopes ?? [], expiresAt: keptUntil(changed.validUntil) };
}

export interface Rotation {
  readonly text: ApiKeyText;
  readonly now: number;
  readonly overlapMs: number;
  /** It takes the place of the rotation before, whose text was lost. */
  readonly isRepeat: boolean;
  readonly request: { readonly id: string; readonly digest: string } | undefined;
}

/** The key with a new secret, and the one before until the overlap is over. Never more than two. */
export function rotatedApiKey(ring: KeyRing, key: ApiKeyDocument, rotation: Rotation): Draft<ApiKeyDocument> {
  const { text, now, overlapMs, isRepeat, request } = rotation;
  const [newest, ...older] = key.secrets;
  const ending =
    newest === undefined ? [] : [{ ...newest, until: Math.min(newest.until ?? Infinity, now + overlapMs) }];
  const keyId = ring.currentId;
  const fresh = { mac: apiKeyMac(ring, key.tenant, text, keyId), keyId, createdAt: now };
  const previous = (isRepeat ? older : ending).filter(({ until }) => until === undefined || until > now);
  return {
    ...key,
    secrets: [fresh, ...previous.slice(0, 1)],
    prefix: text.text.slice(0, API_KEY_PREFIX_CHARS),
    rotation: request === undefined ? undefined : { requestId: request.id, requestDigest: request.digest },
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

/**
 * The key with this secret's HMAC under the current master key, where it was under an older one; undefined: nothing to move. Only whoever
 * presents the secret makes that possible.
 */
export function movedToCurrentKey(ring: KeyRing, key: ApiKeyDocument, text: ApiKeyText): ApiKeyDocument | undefined {
  const { currentId, ids } = ring;
  let isMoved = false;
  const secrets = key.secrets.map((secret) => {
    if (secret.keyId === currentId || !ids.includes(secret.keyId)) return secret;
    if (!sameDigest(secret.mac, apiKeyMac(ring, key.tenant, text, secret.keyId))) return secret;
    isMoved = true;
    return { ...secret, mac: apiKeyMac(ring, key.tenant, text, currentId), keyId: currentId };
  });
  return isMoved ? { ...key, secrets } : undefined;
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
