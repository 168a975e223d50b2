import type { KeyRing } from '../../crypto/key-ring.ts';
import { sha256 } from '../../crypto/keyed-digest.ts';
import type { Clock } from '../../platform/clock.ts';
import { createCredentialCache } from '../../platform/credential-cache.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import type { Replicas, RevokedSet } from '../replica.ts';
import { REMEMBERED_MS } from '../session/revocation.ts';
import type { Store } from '../storage.ts';
import { endedReason, secretValidUntil } from './api-key.ts';
import { type ApiKeyText, parseApiKeyText } from './api-key-text.ts';
import type { ApiKeyDocument } from './use-cases.ts';

// Judging a presented API key. A key that was recognized is remembered by the digest of its text, so that the next use costs a digest and
// two look-ups; time and the set of what is revoked are consulted at every use.

export type ApiKeyVerdict =
  | { readonly kind: 'valid'; readonly key: ApiKeyDocument; readonly validUntil: number | undefined }
  /** `key` where its secret was right. */
  | { readonly kind: 'refused'; readonly reason: DecisionReason; readonly key?: ApiKeyDocument };

/** Synchronous for a key in memory. The tenant must exist. Throws INDEX_STALE or a Fault when it cannot be told now. */
export type JudgeApiKey = (
  tenant: string,
  text: string,
  signal: () => AbortSignal | undefined,
) => ApiKeyVerdict | Promise<ApiKeyVerdict>;

export interface JudgeApiKeyPorts {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly replicas: Replicas;
}

interface RecognizedKey {
  readonly key: ApiKeyDocument;
  readonly secretUntil: number;
}

const MAX_REMEMBERED = 20_000;
const INVALID: ApiKeyVerdict = { kind: 'refused', reason: 'CREDENTIAL_INVALID' };

export function createApiKeyJudge(ports: JudgeApiKeyPorts): JudgeApiKey {
  const { store, ring, clock, replicas } = ports;
  const apiKeys = store.collection<ApiKeyDocument>('apiKeys');
  const cache = createCredentialCache<RecognizedKey>({ max: MAX_REMEMBERED, maxAgeMs: REMEMBERED_MS, clock });

  const judgeCold = async (tenant: string, text: ApiKeyText, digest: string, signal: AbortSignal | undefined) => {
    const { revoked } = await replicas.load(tenant, signal);
    const keep = cache.begin(() => replicas.peek(tenant)?.revoked.position);
    const key = await apiKeys.get(tenant, text.id, signal);
    const secretUntil = key === undefined ? undefined : secretValidUntil(ring, key, text);
    if (key === undefined || secretUntil === undefined) return INVALID;
    const recognized = { key, secretUntil };
    keep(digest, recognized);
    // The newest state: it may have moved while the key was read.
    return judge(recognized, replicas.peek(tenant)?.revoked ?? revoked, clock.now());
  };
  return (tenant, text, signal) => {
    const digest = sha256(text);
    const known = cache.get(digest);
    const replica = known === undefined ? undefined : replicas.peek(tenant);
    if (known !== undefined && replica !== undefined) {
      if (known.key.tenant !== tenant) return INVALID;
      // Revoked since it was read: read again, so that the answer shows the key as it is now.
      const isOutdated = known.key.revokedAt === undefined && replica.revoked.apiKey(known.key.id);
      if (!isOutdated) return judge(known, replica.revoked, clock.now());
    }
    const parsed = parseApiKeyText(text);
    return parsed === undefined ? INVALID : judgeCold(tenant, parsed, digest, signal());
  };
}

function judge({ key, secretUntil }: RecognizedKey, revoked: RevokedSet, now: number): ApiKeyVerdict {
  const reason = revoked.apiKey(key.id) ? 'CREDENTIAL_REVOKED' : endedReason(key, secretUntil, now);
  if (reason !== undefined) return { kind: 'refused', reason, key };
  const validUntil = Math.min(key.validUntil ?? Number.POSITIVE_INFINITY, secretUntil);
  return { kind: 'valid', key, validUntil: Number.isFinite(validUntil) ? validUntil : undefined };
}
