import type { CollectionName } from '../../domain/storage.ts';
import { Fault } from '../../platform/faults.ts';
import { randomId } from '../../platform/random.ts';
import type { BodyRecord } from './body-record.ts';
import { type Link, MAX_TIME_MS, settled } from './link.ts';
import { readBack } from './read-back.ts';

const TIME = { maxTimeMS: MAX_TIME_MS } as const;

/**
 * Removes the record at `place`: the living one, or the one of that version; true when this very call did it.
 *
 * A deletion leaves nothing to read back, so after a lost answer nobody could say whose deletion it was, and two callers might both
 * believe that they consumed a one-time challenge. Therefore the commit point is a swap that makes the record expired under a
 * version of ours; the deletion follows. If that fails, the record is like any expired one: absent, and swept later.
 */
export async function removeRecord(
  link: Link,
  name: CollectionName,
  place: { readonly _id: string; readonly t: string },
  expectedVersion: string | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const records = link.records<BodyRecord>(name);
  const version = randomId(link.random);
  const current = (): Promise<{ v: string } | undefined> =>
    readBack(link, name, place, { number: 'x', wanted: ['v'] }, signal);

  const mark = async (): Promise<boolean> => {
    const now = link.clock.now();
    // A known version also ends a document that expired with effects pending; one without must be living.
    const filter = { ...place, ...(expectedVersion === undefined ? { x: { $gt: now } } : { v: expectedVersion }) };
    // 0 rather than now: gone at once for a replica whose clock is behind, too. The date still gives readers back their time.
    const update = { $set: { v: version, x: 0, d: new Date(now) }, $unset: { p: '' as const } };
    const result = await link.run(() => records.updateOne(filter, update, TIME), signal);
    return result.matchedCount === 1 || (await current())?.v === version;
  };
  const removed = await settled(mark, async () => {
    const found = await current();
    if (found?.v === version) return true;
    // Absent: we expired it and somebody needed its key, or it was not there. Nobody can tell any more.
    if (found === undefined)
      throw new Fault('UNAVAILABLE', 'it is unknown whether the document was removed by this call');
    return undefined;
  });
  if (removed) {
    await link.run(() => records.deleteOne({ ...place, v: version }, TIME), signal).catch(() => undefined);
  }
  return removed;
}
