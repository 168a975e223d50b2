import { encodeJson, UnsafeJsonError } from './json.ts';

// The limits of the storage port that every adapter enforces alike. Breaking one is a mistake of the calling code, not of
// a user: domain code has refused the input before.

/** A document's unique keys. */
export const MAX_KEYS = 32;
/** Tenant, id, owner, key and stream, in UTF-8 bytes. */
export const MAX_NAME_BYTES = 1024;
/** JSON text of a document, a log entry's body or an audit event, in UTF-8 bytes: below MongoDB's 16 MB with room to spare. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Chunk of a checkpoint, in UTF-8 bytes. */
export const MAX_CHUNK_BYTES = 1024 * 1024;
/** Documents of a page, entries of a read, events of an append. */
export const MAX_PAGE = 1000;

/** What the limits are about; the port's `Draft` has this shape. */
export interface DraftShape {
  readonly tenant: string;
  readonly id: string;
  readonly schema: number;
  readonly keys: readonly string[];
  readonly owner?: string | undefined;
  readonly expiresAt?: number | undefined;
  readonly outbox?: readonly unknown[] | undefined;
}

/**
 * The JSON text that an adapter stores for a draft: the draft with its new version and without `touchedAt`, which lives beside
 * the body. Throws UnsafeJsonError, naming the place, when the draft breaks a limit or is not JSON-safe.
 */
export function encodeDocument(collection: string, draft: DraftShape, version: string): string {
  assertDraft(collection, draft);
  const text = encodeJson({ ...draft, version, touchedAt: undefined }, collection);
  assertBodySize(text, collection);
  return text;
}

/** Throws UnsafeJsonError when the text is longer than MAX_BODY_BYTES. */
export function assertBodySize(text: string, place: string): void {
  // A UTF-16 unit is at most 3 bytes, so short texts need no count.
  if (text.length * 3 <= MAX_BODY_BYTES) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BODY_BYTES)
    throw new UnsafeJsonError(place, `has ${bytes} bytes; at most ${MAX_BODY_BYTES} are stored`);
}

/** Throws UnsafeJsonError unless `name` is a well-formed string of 1 to MAX_NAME_BYTES bytes. */
export function assertName(name: string, place: string): void {
  if (name === '') throw new UnsafeJsonError(place, 'is empty');
  if (!name.isWellFormed()) throw new UnsafeJsonError(place, 'holds a lone surrogate');
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new UnsafeJsonError(place, `is longer than ${MAX_NAME_BYTES} bytes`);
  }
}

/** Throws UnsafeJsonError unless `value` is a time or a count: a whole number from 0 to 2^53 - 1. */
export function assertWhole(value: number, place: string): void {
  if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
    throw new UnsafeJsonError(place, 'is not a whole number from 0 to 2^53 - 1');
  }
}

/** Throws UnsafeJsonError unless `limit` is a whole number from 1 to `most`. */
export function assertLimit(limit: number, place: string, most: number = MAX_PAGE): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > most) {
    throw new UnsafeJsonError(place, `is not a whole number from 1 to ${most}`);
  }
}

function assertDraft(collection: string, draft: DraftShape): void {
  assertName(draft.tenant, `${collection}.tenant`);
  assertName(draft.id, `${collection}.id`);
  assertWhole(draft.schema, `${collection}.schema`);
  if (draft.expiresAt !== undefined) assertWhole(draft.expiresAt, `${collection}.expiresAt`);
  if (draft.owner !== undefined) assertName(draft.owner, `${collection}.owner`);
  if (draft.keys.length > MAX_KEYS) throw new UnsafeJsonError(`${collection}.keys`, `has more than ${MAX_KEYS} keys`);
  draft.keys.forEach((key, index) => {
    assertName(key, `${collection}.keys[${index}]`);
  });
  if (!draft.keys.includes(draft.id)) throw new UnsafeJsonError(`${collection}.keys`, 'does not contain the id');
}
