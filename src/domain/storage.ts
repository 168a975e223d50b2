// The storage port: interfaces, and the names of the collections. The comments are its law; test/conformance checks each of them on every adapter.
//
// Every write is one atomic operation on one document, or one append to one log. There are no transactions that span
// documents. Documents are JSON-safe: well-formed strings (a lone surrogate is refused), finite numbers, booleans, null,
// arrays and plain objects (undefined members are dropped). Times are epoch milliseconds, bytes are base64url.
// What breaks that, or a limit of src/platform/stored-document.ts, throws UnsafeJsonError before anything is written: a mistake of
// the calling code. The guards there and in src/platform/json.ts are shared by the adapters.
//
// A signal that has already aborted rejects with its reason, and nothing is written.
//
// Every method may throw a Fault (src/platform/faults.ts): UNAVAILABLE when the store does not answer, OVERLOADED when its
// queue is full, the signal's own reason (a Fault) when `signal` aborts first. After such a fault of a write it is
// unknown whether the write happened, unless the method says otherwise.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Something that must follow a write: idempotent, named by a deterministic id. See docs on the outbox in ARCHITECTURE.md. */
export interface Effect {
  /** Deterministic, so that performing it twice is performing it once. */
  readonly id: string;
  readonly kind: string;
  readonly [detail: string]: Json | undefined;
}

/** What every stored document carries. Bodies extend it with their own JSON-safe members. */
export interface Document {
  readonly tenant: string;
  /** Unique in its tenant and collection; never used again after removal. */
  readonly id: string;
  /** Fresh random value of every write, made by the adapter. */
  readonly version: string;
  /** Format number of the body; old bodies are upgraded by domain code when read. */
  readonly schema: number;
  /** Unique per tenant across the collection; never empty: always contains `id`. At most 32, each at most 1,024 bytes. */
  readonly keys: readonly string[];
  /** What `list` can filter by. */
  readonly owner?: string | undefined;
  /** Epoch ms. From then on the document is absent to every read, and blocks no insert, swept or not. */
  readonly expiresAt?: number | undefined;
  /** Effects still to be performed. Non-empty makes the document visible to `pending`. */
  readonly outbox?: readonly Effect[] | undefined;
  /** Highest mark of `touch` in epoch ms. Kept beside the body: what a write carries here is ignored. */
  readonly touchedAt?: number | undefined;
}

/** A document before its write: the adapter makes the version. */
export type Draft<D extends Document> = Omit<D, 'version' | 'touchedAt'>;

export type InsertResult<D extends Document> =
  | { readonly kind: 'inserted'; readonly document: D }
  /** `key` is one of the draft's keys that a living document of the tenant already holds. */
  | { readonly kind: 'exists'; readonly key: string };

export type ReplaceResult<D extends Document> =
  | { readonly kind: 'replaced'; readonly document: D }
  /** Absent, expired, or its version is not the expected one: somebody else wrote first. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'exists'; readonly key: string };

export interface Page {
  readonly owner?: string | undefined;
  /** Id of the last document already seen: the page holds the documents after it, in ascending order of id (by UTF-8 bytes). */
  readonly after?: string | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
}

export interface Mark {
  readonly tenant: string;
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface Collection<D extends Document> {
  /**
   * Adds a document. Of any number of concurrent inserts of one key exactly one succeeds. After an ambiguous error the
   * adapter reads back: its own version there means success.
   */
  insert(draft: Draft<D>, signal?: AbortSignal): Promise<InsertResult<D>>;
  /** The document of that id, or undefined when absent or expired. */
  get(tenant: string, id: string, signal?: AbortSignal): Promise<D | undefined>;
  /** The document that holds that unique key, or undefined. */
  find(tenant: string, key: string, signal?: AbortSignal): Promise<D | undefined>;
  /**
   * Compare-and-swap of the whole body (same tenant and id). Of any number of concurrent swaps from one version exactly one
   * succeeds. Ambiguous errors and lost swaps are read back as for `insert`. Never creates a document.
   */
  replace(draft: Draft<D>, expectedVersion: string, signal?: AbortSignal): Promise<ReplaceResult<D>>;
  /**
   * True when this call removed it (or an ambiguous attempt of this call did); false when absent or of another version. With
   * `expectedVersion` it also removes an expired document of that version: so ends one that expired with effects pending, which
   * `replace` cannot reach any more.
   */
  remove(tenant: string, id: string, expectedVersion?: string, signal?: AbortSignal): Promise<boolean>;
  /** One page. A document present during the whole walk appears exactly once, whatever is inserted meanwhile. */
  list(tenant: string, page: Page, signal?: AbortSignal): Promise<readonly D[]>;
  /** Raises `touchedAt` to `at` where it is lower. No version change, never creates. Marks of absent documents are dropped. */
  touch(marks: readonly Mark[], signal?: AbortSignal): Promise<void>;
  /** Documents of any tenant with a non-empty outbox last written before `olderThan` (epoch ms), oldest first; expired ones too. */
  pending(olderThan: number, limit: number, signal?: AbortSignal): Promise<readonly D[]>;
}

export interface Counters {
  /**
   * Atomically adds `delta` (may be negative or zero) and returns the new total; an absent or expired counter starts at 0.
   * A total never goes below 0. `expiresAt` (epoch ms) is set when the counter is created and raised, never lowered.
   */
  add(tenant: string, id: string, delta: number, expiresAt: number, signal?: AbortSignal): Promise<number>;
  /** The total, 0 when absent or expired: whatever was added before the call, and nothing is written. */
  get(tenant: string, id: string, signal?: AbortSignal): Promise<number>;
  /** Forgets a counter. */
  clear(tenant: string, id: string, signal?: AbortSignal): Promise<void>;
}

/** One atomic step of a stream. */
export interface LogEntry {
  readonly stream: string;
  /** Dense: 1, 2, 3 ... */
  readonly revision: number;
  /** Random id of this very append, so that its writer recognizes it after an ambiguous error. */
  readonly writer: string;
  /** `digest` of revision - 1 (empty for revision 1): the chain. */
  readonly previous: string;
  /** SHA-256, base64url, over previous, stream, revision, writer, at and body; computed by src/domain/change-log.ts. */
  readonly digest: string;
  /** Epoch ms, by the writer's clock. */
  readonly at: number;
  readonly body: Json;
}

/** A complete snapshot of what a stream says up to `revision`. */
export interface Checkpoint {
  readonly stream: string;
  readonly revision: number;
  /** Digest of the entry at `revision`. */
  readonly digest: string;
  /** Epoch ms. */
  readonly at: number;
  /** Number of chunks. */
  readonly count: number;
  /** Reads the chunks in order, one at a time; throws UNAVAILABLE when one is missing or damaged. */
  chunks(signal?: AbortSignal): AsyncIterable<string>;
}

export interface ChangeLog {
  /**
   * The commit point of a log write. True: this entry is at its revision (also when an earlier, ambiguous attempt of this very
   * writer put it there). False: the revision is taken or was compacted away, its predecessor is not the newest entry, or that
   * one's digest is not `entry.previous` (the writer follows a history that this store does not hold: it must rebuild).
   */
  append(entry: LogEntry, signal?: AbortSignal): Promise<boolean>;
  /**
   * The oldest entry of a stream that is taken over from another store, at whatever revision it has there; `append` goes on from it. True: it is
   * in place (also when an earlier attempt of this very writer put it there). False: the stream has entries. For one writer alone, on a store
   * that nobody serves from.
   */
  begin(entry: LogEntry, signal?: AbortSignal): Promise<boolean>;
  /** Entries after `after` in order, dense, at most `limit` (1 to 1,000). */
  read(stream: string, after: number, limit: number, signal?: AbortSignal): Promise<readonly LogEntry[]>;
  /** Those streams that hold the entry right after their position: one point look-up each. */
  next(positions: ReadonlyMap<string, number>, signal?: AbortSignal): Promise<readonly string[]>;
  /** Oldest and newest revision kept; both 0 when the stream was never written. Compaction leaves `newest` as it is. */
  bounds(stream: string, signal?: AbortSignal): Promise<{ readonly oldest: number; readonly newest: number }>;
  /** Removes entries up to and including `upTo`, never the newest one. The caller has checked that a checkpoint covers them. */
  compact(stream: string, upTo: number, signal?: AbortSignal): Promise<void>;
  /**
   * Stores a checkpoint: chunks of at most 1 MB each under a fresh nonce, then a manifest (count, digest), which is the commit
   * point: a crash before it leaves the previous checkpoint in place. Older ones are removed afterwards, best effort.
   * One of a lower revision than the newest changes nothing, one of the same revision and a later time takes its place.
   */
  saveCheckpoint(
    head: { readonly stream: string; readonly revision: number; readonly digest: string; readonly at: number },
    chunks: AsyncIterable<string> | Iterable<string>,
    signal?: AbortSignal,
  ): Promise<void>;
  /** The newest complete checkpoint of the stream. */
  latestCheckpoint(stream: string, signal?: AbortSignal): Promise<Checkpoint | undefined>;
}

/** One line of the audit trail. */
export interface AuditEvent {
  readonly tenant: string;
  /** Deterministic where it comes from an outbox, so that appending it twice keeps one. */
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
  /** Dotted, for example `login.failed`. */
  readonly type: string;
  /** About whom, for example `user:7`; or a pseudonym. */
  readonly subject?: string | undefined;
  readonly outcome: 'success' | 'failure' | 'denied';
  /** `about` is a text that names somebody else than the subject; see `pseudonymize` for it and `identifying`. */
  readonly details: { readonly [key: string]: Json | undefined };
}

export interface AuditFilter {
  readonly tenant: string;
  /** Epoch ms, inclusive. */
  readonly from?: number | undefined;
  /** Epoch ms, exclusive. */
  readonly to?: number | undefined;
  readonly subject?: string | undefined;
  readonly type?: string | undefined;
  readonly outcome?: AuditEvent['outcome'] | undefined;
  /** True: in the opposite order. */
  readonly newestFirst?: boolean | undefined;
}

export interface AuditTrail {
  /** Idempotent by (tenant, id). At most 1,000 events. */
  append(events: readonly AuditEvent[], signal?: AbortSignal): Promise<void>;
  /** In order of (at, id), or in the opposite one; `after` is the cursor of the last event seen, made by `auditCursor` (src/platform/audit-cursor.ts). */
  list(
    filter: AuditFilter,
    after: string | undefined,
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly AuditEvent[]>;
  /** Removes events of all tenants older than `before` (epoch ms); returns how many. */
  prune(before: number, signal?: AbortSignal): Promise<number>;
  /**
   * Replaces `subject` in every event of the tenant by `pseudonym` (another one), and removes their detail named `identifying`; where an event's
   * detail named `about` is `subject`, that is replaced as well. Not atomic as a whole: repeated after a fault, it finishes.
   */
  pseudonymize(tenant: string, subject: string, pseudonym: string, signal?: AbortSignal): Promise<void>;
}

/** All there are: an adapter makes them, a walk over everything visits them. */
export const collectionNames = [
  'users',
  'sessions',
  'challenges',
  'apiKeys',
  'keySets',
  'providers',
  'tenants',
] as const;

export type CollectionName = (typeof collectionNames)[number];

export interface Store {
  /** For logs and metrics: `sqlite` or `mongodb`. */
  readonly kind: string;
  collection<D extends Document>(name: CollectionName): Collection<D>;
  readonly counters: Counters;
  readonly changeLog: ChangeLog;
  readonly auditTrail: AuditTrail;
  /** Resolves when the store answers reads and writes; throws UNAVAILABLE otherwise. */
  ping(signal?: AbortSignal): Promise<void>;
  /**
   * Removes what has expired more than `graceMs` ago; returns how many documents went. Hygiene only. Documents with effects
   * pending stay until those are performed and `remove` ends them.
   */
  sweep(graceMs: number, signal?: AbortSignal): Promise<number>;
  /** Finishes writes under way and lets go of the store. Calls made after it throw UNAVAILABLE. */
  close(): Promise<void>;
}
