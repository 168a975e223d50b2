import type { Db, IndexDescription } from 'mongodb';
import { collectionNames } from '../../domain/storage.ts';

// The indexes, made at start where they are missing. Names are MongoDB's own. All of them work on a collection that is sharded by
// tenant: every unique one begins with it.

/** Proof of the start and `ping`. */
export const HEALTH = 'health';

/**
 * Seconds after its expiry that the server removes a record by itself. It is hygiene only: every read looks at `x`. Long, so that
 * neither a server whose clock is ahead nor a day without any replica takes what one of them still wants to see.
 */
const TTL_SECONDS = 24 * 3600;

const UNIQUE_KEYS: IndexDescription = { key: { t: 1, k: 1 }, unique: true };
const EXPIRY: IndexDescription = { key: { d: 1 }, expireAfterSeconds: TTL_SECONDS };
const BODY: readonly IndexDescription[] = [
  UNIQUE_KEYS,
  { key: { t: 1, o: 1, _id: 1 } },
  EXPIRY,
  // Sparse: only the few records that have effects pending are in it.
  { key: { p: 1 }, sparse: true },
];

const INDEXES: ReadonlyMap<string, readonly IndexDescription[]> = new Map([
  ...collectionNames.map((name) => [name, BODY] as const),
  [HEALTH, [UNIQUE_KEYS, EXPIRY]],
  ['counters', [EXPIRY]],
  [
    'auditTrail',
    [
      { key: { t: 1, c: 1 } },
      { key: { t: 1, s: 1, c: 1 } },
      { key: { at: 1 } },
      // Sparse: only the few events that have the detail `about` are in it.
      { key: { a: 1 }, sparse: true },
    ],
  ],
]);

/** Makes what is missing; replicas may do it at the same time. */
export async function ensureIndexes(db: Db, maxTimeMS: number): Promise<void> {
  for (const [name, indexes] of INDEXES) await db.collection(name).createIndexes([...indexes], { maxTimeMS });
}
