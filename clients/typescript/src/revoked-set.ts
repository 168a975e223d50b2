import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Revocation, WatchRevocationsResponse } from '../gen/sallyport/v1/token_pb.js';

// What is revoked in a tenant, as WatchRevocations tells it.

/** What a token must say so that it can be held against the set. */
export interface RevocableToken {
  readonly sessionId: string;
  /** `kid` of its header. */
  readonly keyId: string;
  /** Undefined: no user's, so it has no epoch. */
  readonly userId: string | undefined;
  readonly epoch: number;
}

export interface RevokedSet {
  /** Takes in a snapshot's part or changes; `nowMs` is the wall clock. */
  take(event: WatchRevocationsResponse['event'], nowMs: number): void;
  isRevoked(token: RevocableToken): boolean;
  /** Entries held. */
  readonly size: number;
}

/** Kept this much longer than what they revoke lives, for clocks that differ. */
const GRACE_MS = 24 * 60 * 60_000;
const SWEEP_EVERY_MS = 60_000;

interface Entry {
  readonly until: number;
  /** Of users: tokens below it are revoked. */
  readonly epoch: number;
}

/** Sessions, API keys and signing keys share one map: their ids are told apart by what stands before them. */
export function createRevokedSet(): RevokedSet {
  let entries = new Map<string, Entry>();
  /** A snapshot whose last part has not come yet: it replaces what was known, whole or not at all. */
  let coming: Map<string, Entry> | undefined;
  let sweptAt = 0;

  const sweep = (nowMs: number): void => {
    if (nowMs - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = nowMs;
    for (const [name, entry] of entries) if (entry.until < nowMs) entries.delete(name);
  };
  return {
    take: (event, nowMs) => {
      if (event.case === 'snapshot') {
        if (event.value.first) coming = new Map();
        for (const revocation of event.value.revocations) add(coming ?? entries, revocation);
        if (event.value.last && coming !== undefined) {
          entries = coming;
          coming = undefined;
        }
      } else if (event.case === 'changes') for (const revocation of event.value.revocations) add(entries, revocation);
      sweep(nowMs);
    },
    isRevoked: ({ sessionId, keyId, userId, epoch }) =>
      entries.has(`session ${sessionId}`) ||
      // The session of a token that was issued by API key is that key.
      entries.has(`apiKey ${sessionId}`) ||
      entries.has(`signingKey ${keyId}`) ||
      (userId !== undefined && epoch < (entries.get(`user ${userId}`)?.epoch ?? 0)),
    get size() {
      return entries.size;
    },
  };
}

function add(entries: Map<string, Entry>, { revoked, expireTime }: Revocation): void {
  const until = msOf(expireTime) + GRACE_MS;
  const put = (name: string, epoch = 0): void => {
    const known = entries.get(name);
    entries.set(name, { until: Math.max(until, known?.until ?? 0), epoch: Math.max(epoch, known?.epoch ?? 0) });
  };
  switch (revoked.case) {
    case 'sessionId':
      put(`session ${revoked.value}`);
      break;
    case 'apiKeyId':
      put(`apiKey ${revoked.value}`);
      break;
    case 'signingKeyId':
      put(`signingKey ${revoked.value}`);
      break;
    case 'user':
      put(`user ${revoked.value.userId}`, Number(revoked.value.epoch));
      break;
    case undefined:
      // A kind that a later server knows: what it revokes is not known here, so nothing can be said for any token.
      throw new Error('a revocation of a kind that this client does not know');
  }
}

function msOf(time: Timestamp | undefined): number {
  return time === undefined ? Number.POSITIVE_INFINITY : Number(time.seconds) * 1000;
}
