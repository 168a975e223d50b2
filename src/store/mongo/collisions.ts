import { setTimeout as pause } from 'node:timers/promises';
import type { CollectionName } from '../../domain/storage.ts';
import { Fault } from '../../platform/faults.ts';
import type { RandomSource } from '../../platform/random.ts';
import type { BodyRecord } from './body-record.ts';
import { type Link, MAX_TIME_MS } from './link.ts';

const TIME = { maxTimeMS: MAX_TIME_MS } as const;
/** Somebody else takes and frees the same key again and again beyond this. */
const ATTEMPTS = 8;
const BACKOFF_MS = 4;

export type Collision = { readonly kind: 'held'; readonly key: string } | { readonly kind: 'cleared' };

type Holder = Pick<BodyRecord, '_id' | 'k' | 'v' | 'x'>;

/** The refused write. */
export interface Refused {
  readonly id: string;
  readonly record: BodyRecord;
  /** False for a replace, in whose way its own record cannot be. */
  readonly inserting: boolean;
}

/**
 * Finds out what E11000 means (not every server says which key it was): another living document holds one of the keys, or only
 * expired ones were in the way. Those are removed, each by its version, so that one which was revived meanwhile stays. The
 * id is named first when several keys are held: a caller who finds its own id taken reads that document.
 */
export async function clearCollisions(
  link: Link,
  name: CollectionName,
  refused: Refused,
  attempt: number,
  signal: AbortSignal | undefined,
): Promise<Collision> {
  const { id, record } = refused;
  // Keys contain the id, so this also finds a record of the same `_id`.
  const filter = { t: record.t, k: { $in: [...record.k] } };
  const options = { projection: { k: 1, v: 1, x: 1 }, ...TIME } as const;
  const found = await link.run(() => link.latest<BodyRecord>(name).find<Holder>(filter, options).toArray(), signal);
  const holders = found.filter((holder) => refused.inserting || holder._id !== record._id);

  const now = link.clock.now();
  const held = new Set(holders.filter((holder) => holder.x > now).flatMap((holder) => holder.k));
  const key = held.has(id) ? id : record.k.find((candidate) => held.has(candidate));
  if (key !== undefined) return { kind: 'held', key };

  const records = link.records<BodyRecord>(name);
  for (const { _id, v } of holders) await link.run(() => records.deleteOne({ _id, t: record.t, v }, TIME), signal);
  if (attempt >= ATTEMPTS) {
    throw new Fault('CONTENTION', 'a unique key changed hands too often; try again', { retryAfterMs: 100 });
  }
  // The first time the way is simply clear; after that somebody else is at it too.
  if (attempt > 1) await pause(BACKOFF_MS * 2 ** attempt * fraction(link.random));
  return { kind: 'cleared' };
}

function fraction(random: RandomSource): number {
  return (random.bytes(1)[0] ?? 0) / 255;
}
