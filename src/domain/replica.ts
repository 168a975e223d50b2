import type { LogHead } from './change-log.ts';
import type { DecisionIndex } from './decision/decision-index.ts';
import type { Json, LogEntry } from './storage.ts';

// What use cases see of replication (src/replication implements it): a tenant's state in memory, which follows the streams
// `policy/<tenant>` and `revocation/<tenant>`.

export type Revocation =
  | {
      readonly kind: 'session';
      readonly id: string /** Epoch ms at which what it revokes has expired anyway. */;
      readonly until: number;
    }
  | { readonly kind: 'api_key'; readonly id: string; readonly until: number }
  /** Everything of that user with an epoch below `epoch`. */
  | { readonly kind: 'user'; readonly id: string; readonly epoch: number; readonly until: number }
  | { readonly kind: 'signing_key'; readonly id: string; readonly until: number }
  /** The API key changed and lives on: read it again. */
  | { readonly kind: 'api_key_change'; readonly id: string; readonly until: number }
  /** The key set changed: read it again. */
  | { readonly kind: 'key_set'; readonly id: string; readonly until: number }
  /** In `revocation/sallyport`: the tenant of that name changed, read it again. Elsewhere it says nothing. */
  | { readonly kind: 'tenant'; readonly id: string; readonly until: number };

/** Kept until `until` + 24 h, so that a clock set back brings nothing to life. */
export interface RevokedSet {
  /** Revision of the followed stream. A cache fill that began at another position must not be kept. */
  readonly position: number;
  session(id: string): boolean;
  apiKey(id: string): boolean;
  /** Lowest epoch of that user that still counts; 0 when nothing was revoked. */
  userEpoch(userId: string): number;
  signingKey(kid: string): boolean;
}

export interface TenantReplica {
  readonly tenant: string;
  readonly index: DecisionIndex;
  readonly revoked: RevokedSet;
  /** Consistency token of the index as it stands: tenant, incarnation of the log, revision. */
  revisionToken(): string;
}

/** What `commit` is told to do with the state it was shown. */
export type Commit<R> =
  | { readonly kind: 'append'; readonly body: Json; readonly result: R }
  | { readonly kind: 'stop'; readonly result: R };

export interface Replicas {
  /** The tenant's state if it is in memory, without waiting. Throws INDEX_STALE when its data is older than `maxStaleness`. */
  peek(tenant: string): TenantReplica | undefined;
  /** The tenant's state, loaded first where needed. Throws INDEX_STALE or UNAVAILABLE. The tenant must exist. */
  load(tenant: string, signal?: AbortSignal): Promise<TenantReplica>;
  /**
   * Reads the tail until `token` is reached. Throws REVISION_UNKNOWN for a token of another tenant or incarnation, INVALID_ARGUMENT for one
   * that is malformed, UNAVAILABLE when the revision is not there yet after one read.
   */
  reach(tenant: string, token: string, signal?: AbortSignal): Promise<TenantReplica>;
  /**
   * One atomic write to `policy/<tenant>`: `build` looks at the newest state and says what to append; when another writer takes that
   * revision first, it is asked again with the state after it. Resolves after the entry has been applied here.
   */
  commit<R>(
    tenant: string,
    build: (replica: TenantReplica) => Commit<R>,
    signal?: AbortSignal,
  ): Promise<{ readonly result: R; readonly revision: string }>;
  /** Appends to `revocation/<tenant>` and applies it here at once. Idempotent in effect. */
  revoke(tenant: string, revocations: readonly Revocation[], signal?: AbortSignal): Promise<void>;
  /**
   * Empties both streams of a tenant that nobody writes to any more, for good: what is left of each says nothing. Repeatable; a kill in between
   * leaves some of it.
   */
  end(tenant: string, signal?: AbortSignal): Promise<void>;
}

/** What happened to a tenant in memory, told right after it was applied, to whoever keeps something that was derived from it. */
export type ReplicaChange =
  | { readonly kind: 'policy'; readonly tenant: string; readonly revision: number }
  | { readonly kind: 'revoked'; readonly tenant: string; readonly revocations: readonly Revocation[] }
  /** The tenant was read (anew): nothing derived from a former state counts. */
  | { readonly kind: 'loaded'; readonly tenant: string };

/** Must be quick and must not throw. */
export type OnReplicaChange = (change: ReplicaChange) => void;

export interface ReplicaChanges {
  /** Calls `listener` after each change of any tenant in memory, until the returned function is called. */
  onChange(listener: OnReplicaChange): () => void;
}

/** The revocations of a tenant as a history that can be followed. */
export interface RevocationFeed {
  /** What is revoked, and the head of the log that it is complete for; what is added during the walk may be part of it. */
  snapshot(
    tenant: string,
    signal?: AbortSignal,
  ): Promise<{ readonly head: LogHead; readonly revoked: Iterable<Revocation> }>;
  /**
   * What the log holds after `head`, at most 1,000 entries; undefined: `head` is of a history that the log does not hold (any more). Throws
   * what the store throws. Callers that ask for the same at once share one read.
   */
  after(
    tenant: string,
    head: LogHead,
    signal?: AbortSignal,
  ): Promise<{ readonly head: LogHead; readonly revocations: readonly Revocation[] } | undefined>;
}

/** Entries of `policy/<tenant>` as they were written. */
export interface PolicyHistory {
  /** Entries after revision `after`, in order, at most `limit`. The first one has a higher revision than `after` + 1 when those between were compacted away. */
  read(
    tenant: string,
    after: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly Omit<LogEntry, 'stream' | 'writer'>[]>;
}
