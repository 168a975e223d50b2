import { hash } from 'node:crypto';
import { canonicalJson } from '../platform/json.ts';
import type { Json, LogEntry } from './storage.ts';

// The hash chain of a change log: every entry holds the digest of its predecessor. A follower that finds an entry that does not
// follow what it has (a server lost a write that was not journalled, a backup was restored) rebuilds from the store.

/** The last entry somebody has seen of a stream. */
export interface LogHead {
  readonly revision: number;
  readonly digest: string;
}

/** Before the first entry. */
export const EMPTY_HEAD: LogHead = { revision: 0, digest: '' };

/**
 * SHA-256, base64url, over the RFC 8785 text of [previous, stream, revision, writer, at, body]: one text per entry, whatever order
 * the body's members are in. Throws UnsafeJsonError when the body is not JSON-safe.
 */
export function entryDigest(entry: Omit<LogEntry, 'digest'>): string {
  const text = canonicalJson(
    [entry.previous, entry.stream, entry.revision, entry.writer, entry.at, entry.body],
    `log ${entry.stream}`,
  );
  return hash('sha256', text, 'base64url');
}

/** The entry that comes after `head`. `writer` is a fresh random id of this very append; `at` is epoch ms. */
export function nextEntry(head: LogHead, stream: string, body: Json, at: number, writer: string): LogEntry {
  const entry = { stream, revision: head.revision + 1, writer, previous: head.digest, at, body };
  return { ...entry, digest: entryDigest(entry) };
}

/** True when `entry` is the unaltered successor of `previous` in its stream. */
export function follows(previous: LogHead, entry: LogEntry): boolean {
  return (
    entry.revision === previous.revision + 1 &&
    entry.previous === previous.digest &&
    entry.digest === entryDigest(entry)
  );
}
