import type { Document, Draft } from '../../domain/storage.ts';
import { encodeDocument } from '../../platform/stored-document.ts';
import { recordId } from './record-id.ts';

// How a document lies in MongoDB: its body as one JSON text, beside the few fields that the adapter itself asks for. BSON thus has
// no opinion on what domain code stores (dots and dollars in member names, 2^53, empty names), and a body is read and written whole,
// never half of it (docs/decisions/0004).

export interface BodyRecord {
  readonly _id: string;
  /** Tenant, and the unique keys: together the unique index. */
  readonly t: string;
  readonly k: readonly string[];
  /** Owner. */
  readonly o?: string;
  /** Version. */
  readonly v: string;
  /** Epoch ms from which the document is absent; NEVER when it does not expire. */
  readonly x: number;
  /** The same as a date, for the TTL index; not while effects are pending, so that the server alone cannot lose them. */
  readonly d?: Date;
  /** Epoch ms of the last write, while the outbox is not empty. */
  readonly p?: number;
  /** The body: JSON text, the version included. */
  readonly b: string;
  /** Highest mark of `touch`. */
  readonly m?: number;
}

/** The `x` of a document that does not expire. */
export const NEVER = Number.MAX_SAFE_INTEGER;

/** The last moment that a Date can hold (ECMA-262 section 21.4.1.1). */
const MAX_DATE_MS = 8_640_000_000_000_000;

/** What is read to make a document. */
export const BODY_FIELDS = { _id: 0, b: 1, m: 1, x: 1 } as const;
export type BodyFields = Pick<BodyRecord, 'b' | 'm' | 'x'>;

/** The record of a draft about to be written. Throws UnsafeJsonError. */
export function toRecord<D extends Document>(name: string, draft: Draft<D>, version: string, now: number): BodyRecord {
  const body = encodeDocument(name, draft, version);
  const pending = draft.outbox !== undefined && draft.outbox.length > 0;
  const { expiresAt } = draft;
  return {
    _id: recordId(draft.tenant, draft.id),
    t: draft.tenant,
    k: [...new Set(draft.keys)],
    ...(draft.owner === undefined ? {} : { o: draft.owner }),
    v: version,
    x: expiresAt ?? NEVER,
    ...(expiresAt === undefined || pending || expiresAt > MAX_DATE_MS ? {} : { d: new Date(expiresAt) }),
    ...(pending ? { p: now } : {}),
    b: body,
  };
}

/** The update that makes a stored record like `record`, and leaves the mark of `touch` as it is. */
export function toUpdate(record: BodyRecord): { $set: Partial<BodyRecord>; $unset?: Record<string, ''> } {
  const { _id, t, ...fields } = record;
  const absent = (['o', 'd', 'p'] as const).filter((field) => record[field] === undefined);
  if (absent.length === 0) return { $set: fields };
  return { $set: fields, $unset: Object.fromEntries(absent.map((field) => [field, ''])) };
}

/** The document of a record. */
export function toDocument<D extends Document>(fields: Pick<BodyRecord, 'b' | 'm'>): D {
  const body = JSON.parse(fields.b) as D;
  return fields.m === undefined ? body : { ...body, touchedAt: fields.m };
}
