import type { Mark } from '../../domain/storage.ts';

// What the main thread asks the writer thread to do, and what it answers. Plain values only: they are copied between threads.

/** The columns of a document that a write sets. `keys` and `body` are JSON text; `owner` is null for none. */
export interface DocumentColumns {
  readonly collection: number;
  readonly tenant: string;
  readonly id: string;
  readonly version: string;
  readonly owner: string | null;
  readonly expiresAt: number;
  readonly pending: 0 | 1;
  readonly keys: string;
  readonly body: string;
}

export interface AuditColumns {
  readonly tenant: string;
  readonly id: string;
  readonly at: number;
  readonly type: string;
  readonly subject: string | null;
  readonly outcome: string;
  readonly details: string;
}

/** One atomic step. `now` is the main thread's clock. `limit` bounds how many rows one step removes: the caller repeats it. */
export type Write =
  | { readonly kind: 'insert'; readonly columns: DocumentColumns; readonly now: number }
  | {
      readonly kind: 'replace';
      readonly columns: DocumentColumns;
      readonly expectedVersion: string;
      readonly now: number;
    }
  | {
      readonly kind: 'remove';
      readonly collection: number;
      readonly tenant: string;
      readonly id: string;
      readonly expectedVersion: string | null;
      readonly now: number;
    }
  | { readonly kind: 'touch'; readonly collection: number; readonly marks: readonly Mark[]; readonly now: number }
  | {
      readonly kind: 'count';
      readonly tenant: string;
      readonly id: string;
      readonly delta: number;
      readonly expiresAt: number;
      readonly now: number;
    }
  | { readonly kind: 'forget'; readonly tenant: string; readonly id: string }
  | {
      readonly kind: 'append';
      /** Into an empty stream, at any revision. */
      readonly begins: boolean;
      readonly stream: string;
      readonly revision: number;
      readonly writer: string;
      readonly previous: string;
      readonly digest: string;
      readonly at: number;
      readonly body: string;
    }
  | { readonly kind: 'compact'; readonly stream: string; readonly upTo: number; readonly limit: number }
  | { readonly kind: 'chunk'; readonly nonce: string; readonly number: number; readonly body: string }
  | {
      readonly kind: 'manifest';
      readonly stream: string;
      readonly revision: number;
      readonly digest: string;
      readonly at: number;
      readonly nonce: string;
      readonly chunkDigests: string;
    }
  | { readonly kind: 'dropChunks'; readonly nonce: string; readonly limit: number }
  | { readonly kind: 'audit'; readonly events: readonly AuditColumns[] }
  | { readonly kind: 'prune'; readonly before: number; readonly limit: number }
  | {
      readonly kind: 'pseudonymize';
      readonly tenant: string;
      readonly subject: string;
      readonly pseudonym: string;
      readonly limit: number;
    }
  | { readonly kind: 'sweepDocuments'; readonly upTo: number; readonly limit: number }
  | { readonly kind: 'sweepCounters'; readonly upTo: number; readonly limit: number }
  | { readonly kind: 'beat'; readonly now: number };

export type Outcome =
  /**
   * Done. `value`: the mark of a replaced document, the total of a counter, the number of rows that a bounded step removed, the
   * nonce of the checkpoint that a manifest took the place of; null otherwise.
   */
  | { readonly kind: 'done'; readonly value: number | string | null }
  /** A living document holds this key. */
  | { readonly kind: 'exists'; readonly key: string }
  /** The version, the revision or the row expected is not there; nothing was written. */
  | { readonly kind: 'lost' };

/** What the writer thread answers for one write. `failed` was rolled back. */
export type Answer =
  | Outcome
  /** `unavailable`: the disk or the file is at fault, so the caller may retry; otherwise it is a defect. */
  | { readonly kind: 'failed'; readonly unavailable: boolean; readonly message: string };

export const DONE: Outcome = { kind: 'done', value: null };
export const LOST: Outcome = { kind: 'lost' };

/** The writer thread's start: the database file, and the pages it may grow to (0: no limit). */
export interface WriterStart {
  readonly file: string;
  readonly maxPages: number;
}

/** Main thread to writer thread. `close` is the last message. */
export type WriterMessage = readonly Write[] | 'close';
