import { collectionNames } from '../../domain/storage.ts';
import { MAX_PAGE } from '../../platform/stored-document.ts';
import type { BodyRecord } from './body-record.ts';
import { type Link, MAX_TIME_MS } from './link.ts';

const TIME = { maxTimeMS: MAX_TIME_MS } as const;

/**
 * Removes what expired more than `graceMs` ago; returns how many. The server's own TTL index does the same a day later. A document
 * with effects pending has no date (body-record.ts), so neither of them takes it.
 */
export async function sweepExpired(link: Link, graceMs: number, signal: AbortSignal | undefined): Promise<number> {
  const before = link.clock.now() - graceMs;
  const overdue = { d: { $lt: new Date(before) } };
  let removed = 0;
  for (const name of collectionNames) {
    removed += await removeAll(link, name, overdue, signal);
  }
  return removed + (await removeAll(link, 'counters', overdue, signal));
}

async function removeAll(link: Link, name: string, filter: object, signal: AbortSignal | undefined): Promise<number> {
  const records = link.records<Pick<BodyRecord, '_id' | 't' | 'x'>>(name);
  let removed = 0;
  for (;;) {
    const options = { projection: { t: 1, x: 1 }, ...TIME } as const;
    const found = await link.run(() => records.find(filter, options).limit(MAX_PAGE).toArray(), signal);
    if (found.length === 0) return removed;
    // By its expiry, so that what was revived meanwhile stays.
    const deletions = found.map(({ _id, t, x }) => ({ deleteOne: { filter: { _id, t, x } } }));
    const result = await link.run(() => records.bulkWrite(deletions, { ordered: false, ...TIME }), signal);
    removed += result.deletedCount;
    if (result.deletedCount === 0) return removed;
  }
}
