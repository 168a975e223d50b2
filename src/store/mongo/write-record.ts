import type { CollectionName, Document, Draft, InsertResult, ReplaceResult } from '../../domain/storage.ts';
import { Fault } from '../../platform/faults.ts';
import { randomId } from '../../platform/random.ts';
import { type BodyRecord, toDocument, toRecord, toUpdate } from './body-record.ts';
import { clearCollisions, type Refused } from './collisions.ts';
import { isDuplicate } from './driver-fault.ts';
import { type Link, MAX_TIME_MS, settled } from './link.ts';
import { readBack } from './read-back.ts';

const TIME = { maxTimeMS: MAX_TIME_MS } as const;

/** Collection.insert of the port. */
export async function insertRecord<D extends Document>(
  link: Link,
  name: CollectionName,
  draft: Draft<D>,
  signal: AbortSignal | undefined,
): Promise<InsertResult<D>> {
  const version = randomId(link.random);
  const record = toRecord(name, draft, version, link.clock.now());
  const inserted: InsertResult<D> = { kind: 'inserted', document: toDocument<D>(record) };
  const write = async (): Promise<InsertResult<D>> => {
    try {
      await link.run(() => link.records<BodyRecord>(name).insertOne(record, TIME), signal);
      return inserted;
    } catch (error) {
      // An earlier attempt of this very insert (the driver's or ours) may be what is in the way.
      if (isDuplicate(error) && (await standing(link, name, record, signal))?.v === version) return inserted;
      throw error;
    }
  };
  const refused = { id: draft.id, record, inserting: true };
  return settled(
    () => pastExpired(link, name, refused, signal, write),
    async () => {
      const found = await standing(link, name, record, signal);
      if (found?.v === version) return inserted;
      if (found === undefined || found.x <= link.clock.now()) return undefined;
      // Refused, or ours and written again since: `exists` would make a caller who upserts apply its change a second time.
      throw unknownOutcome();
    },
  );
}

/** Collection.replace of the port. */
export async function replaceRecord<D extends Document>(
  link: Link,
  name: CollectionName,
  draft: Draft<D>,
  expectedVersion: string,
  signal: AbortSignal | undefined,
): Promise<ReplaceResult<D>> {
  const version = randomId(link.random);
  const record = toRecord(name, draft, version, link.clock.now());
  const records = link.records<BodyRecord>(name);
  const replaced = (m: number | undefined): ReplaceResult<D> => ({
    kind: 'replaced',
    document: toDocument<D>(m === undefined ? { b: record.b } : { b: record.b, m }),
  });
  const write = async (): Promise<ReplaceResult<D>> => {
    const filter = { _id: record._id, t: record.t, v: expectedVersion, x: { $gt: link.clock.now() } };
    const options = { projection: { _id: 0, m: 1 }, returnDocument: 'before', ...TIME } as const;
    const before = await link.run(() => records.findOneAndUpdate(filter, toUpdate(record), options), signal);
    if (before !== null) return replaced(before.m);
    // Lost, unless an earlier attempt of this very swap is what changed the version.
    const found = await standing(link, name, record, signal);
    return found?.v === version ? replaced(found.m) : { kind: 'lost' };
  };
  const refused = { id: draft.id, record, inserting: false };
  return settled(
    () => pastExpired(link, name, refused, signal, write),
    async () => {
      const found = await standing(link, name, record, signal);
      if (found?.v === version) return replaced(found.m);
      if (found?.v === expectedVersion) return undefined;
      // Ours was refused, or it won and has been overwritten since: `lost` would make the caller apply its change a second time.
      throw unknownOutcome();
    },
  );
}

/** Runs a write; when a unique index refuses it, removes the expired records in its way and tries again, or says which key is held. */
async function pastExpired<R>(
  link: Link,
  name: CollectionName,
  refused: Refused,
  signal: AbortSignal | undefined,
  write: () => Promise<R>,
): Promise<R | { readonly kind: 'exists'; readonly key: string }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const found = await clearCollisions(link, name, refused, attempt, signal);
    if (found.kind === 'held') return { kind: 'exists', key: found.key };
  }
}

function unknownOutcome(): Fault {
  return new Fault('UNAVAILABLE', 'it is unknown whether the document was written');
}

type Standing = Required<Pick<BodyRecord, 'v' | 'x'>> & Pick<BodyRecord, 'm'>;

function standing(
  link: Link,
  name: CollectionName,
  { _id, t }: BodyRecord,
  signal: AbortSignal | undefined,
): Promise<Standing | undefined> {
  return readBack<Standing>(link, name, { _id, t }, { number: 'x', wanted: ['v', 'x', 'm'] }, signal);
}
