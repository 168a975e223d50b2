import type { KeyRing } from '../../crypto/key-ring.ts';
import { sha256 } from '../../crypto/keyed-digest.ts';
import type { Clock } from '../../platform/clock.ts';
import { createCredentialCache } from '../../platform/credential-cache.ts';
import { type InNetworks, inNetworks } from '../../platform/networks.ts';
import { createTokenBuckets } from '../../platform/token-buckets.ts';
import type { DecisionReason } from '../decision/use-cases.ts';
import type { ReplicaChange, ReplicaChanges, Replicas, RevokedSet } from '../replica.ts';
import { REMEMBERED_MS } from '../session/revocation.ts';
import type { Collection, Store } from '../storage.ts';
import type { UseMarks } from '../use-marks.ts';
import { endedReason, movedToCurrentKey, secretValidUntil } from './api-key.ts';
import { type ApiKeyText, parseApiKeyText } from './api-key-text.ts';
import type { ApiKeyDocument } from './use-cases.ts';

// Judging a presented API key. A key that was recognized is remembered by the digest of its text, so that the next use costs a digest and
// a few look-ups; time, the set of what is revoked, the place it is used from and its rate are consulted at every use.

export type ApiKeyVerdict =
  | { readonly kind: 'valid'; readonly key: ApiKeyDocument; readonly validUntil: number | undefined }
  /** `key` where its secret was right; `retryAfterMs` with CREDENTIAL_RATE_LIMITED. */
  | {
      readonly kind: 'refused';
      readonly reason: DecisionReason;
      readonly key?: ApiKeyDocument;
      readonly retryAfterMs?: number;
    };

/** Synchronous for a key in memory. The tenant must exist. Throws INDEX_STALE or a Fault when it cannot be told now. */
export type JudgeApiKey = (
  tenant: string,
  text: string,
  signal: () => AbortSignal | undefined,
  /** Where it is used from; absent or undefined: not known, which a key with allowed networks does not bear. Asked only for those. */
  address?: () => string | undefined,
) => ApiKeyVerdict | Promise<ApiKeyVerdict>;

export interface JudgeApiKeyPorts {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly replicas: Replicas & ReplicaChanges;
  readonly marks: UseMarks;
}

interface RecognizedKey {
  readonly key: ApiKeyDocument;
  readonly secretUntil: number;
  readonly inNetworks: InNetworks | undefined;
}

const MAX_REMEMBERED = 20_000;
const INVALID: ApiKeyVerdict = { kind: 'refused', reason: 'CREDENTIAL_INVALID' };
const NOWHERE = (): undefined => undefined;
const MINUTE_SECONDS = 60;
/** Never used as it is: every key brings its own. */
const NO_COMMON_RATE = { perSecond: 1, burst: 1 };

export function createApiKeyJudge(ports: JudgeApiKeyPorts): JudgeApiKey {
  const { store, ring, clock, replicas } = ports;
  const apiKeys = store.collection<ApiKeyDocument>('apiKeys');
  const cache = createCredentialCache<RecognizedKey>({ max: MAX_REMEMBERED, maxAgeMs: REMEMBERED_MS, clock });
  replicas.onChange((change) => forget(cache, change));
  const judge = createUseJudge(ports);

  const judgeCold = async (
    tenant: string,
    text: ApiKeyText,
    digest: string,
    signal: AbortSignal | undefined,
    address: () => string | undefined,
  ) => {
    const { revoked } = await replicas.load(tenant, signal);
    const keep = cache.begin(() => replicas.peek(tenant)?.revoked.position);
    const key = await apiKeys.get(tenant, text.id, signal);
    const secretUntil = key === undefined ? undefined : secretValidUntil(ring, key, text);
    if (key === undefined || secretUntil === undefined) return INVALID;
    moveToCurrentKey(ring, apiKeys, key, text);
    const recognized = { key, secretUntil, inNetworks: inNetworks(key.allowedNetworks) };
    keep(digest, recognized);
    // The newest state: it may have moved while the key was read.
    return judge(recognized, replicas.peek(tenant)?.revoked ?? revoked, address);
  };
  return (tenant, text, signal, address = NOWHERE) => {
    const digest = sha256(text);
    const known = cache.get(digest);
    const replica = known === undefined ? undefined : replicas.peek(tenant);
    if (known !== undefined && replica !== undefined) {
      if (known.key.tenant !== tenant) return INVALID;
      // Revoked since it was read: read again, so that the answer shows the key as it is now.
      const isOutdated = known.key.revokedAt === undefined && replica.revoked.apiKey(known.key.id);
      if (!isOutdated) return judge(known, replica.revoked, address);
    }
    const parsed = parseApiKeyText(text);
    return parsed === undefined ? INVALID : judgeCold(tenant, parsed, digest, signal(), address);
  };
}

/** Not waited for, and one of its swaps that is lost is made by a later use: the older master key goes on checking the secret meanwhile. */
function moveToCurrentKey(ring: KeyRing, apiKeys: Collection<ApiKeyDocument>, key: ApiKeyDocument, text: ApiKeyText) {
  const moved = movedToCurrentKey(ring, key, text);
  if (moved === undefined) return;
  const { version, touchedAt: _mark, ...draft } = moved;
  apiKeys.replace(draft, version).catch(() => {});
}

/** What changed is read again. So is everything of a tenant that was not followed for a while: the entry may have come meanwhile. */
function forget(cache: ReturnType<typeof createCredentialCache<RecognizedKey>>, change: ReplicaChange): void {
  const { tenant } = change;
  if (change.kind === 'loaded') cache.forget(({ key }) => key.tenant === tenant);
  if (change.kind !== 'revoked') return;
  const changed = new Set(change.revocations.filter(({ kind }) => kind === 'api_key_change').map(({ id }) => id));
  if (changed.size > 0) cache.forget(({ key }) => key.tenant === tenant && changed.has(key.id));
}

/** What is judged at every use of a key whose secret was right. The order: what the holder cannot mend comes first; only a use costs rate. */
function createUseJudge({ clock, marks }: Pick<JudgeApiKeyPorts, 'clock' | 'marks'>) {
  const rates = createTokenBuckets(NO_COMMON_RATE, clock, MAX_REMEMBERED);
  return (recognized: RecognizedKey, revoked: RevokedSet, address: () => string | undefined): ApiKeyVerdict => {
    const { key, secretUntil } = recognized;
    const now = clock.now();
    const reason = revoked.apiKey(key.id) ? 'CREDENTIAL_REVOKED' : endedReason(key, secretUntil, now);
    if (reason !== undefined) return { kind: 'refused', reason, key };
    if (recognized.inNetworks?.(address()) === false)
      return { kind: 'refused', reason: 'CREDENTIAL_WRONG_NETWORK', key };
    if (key.rateLimit !== undefined) {
      const { callsPerMinute, burst } = key.rateLimit;
      const retryAfterMs = rates.take(`${key.tenant}\n${key.id}`, {
        perSecond: callsPerMinute / MINUTE_SECONDS,
        burst,
      });
      if (retryAfterMs > 0) return { kind: 'refused', reason: 'CREDENTIAL_RATE_LIMITED', key, retryAfterMs };
    }
    marks.note(key.tenant, key.id, now);
    const validUntil = Math.min(key.validUntil ?? Number.POSITIVE_INFINITY, secretUntil);
    return { kind: 'valid', key, validUntil: Number.isFinite(validUntil) ? validUntil : undefined };
  };
}
