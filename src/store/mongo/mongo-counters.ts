import type { Counters } from '../../domain/storage.ts';
import { Fault } from '../../platform/faults.ts';
import { randomId } from '../../platform/random.ts';
import { assertName, assertWhole } from '../../platform/stored-document.ts';
import { isDuplicate, mayHaveHappened } from './driver-fault.ts';
import { type Link, MAX_TIME_MS, settled } from './link.ts';
import { readBack } from './read-back.ts';
import { recordId } from './record-id.ts';

// A counter is one record. Which of four single-record operations applies (add, stop at 0, start again after expiry, create) is
// decided by each operation's own filter, so whatever happens between two of them, each is right when it happens.

interface CounterRecord {
  readonly _id: string;
  /** Tenant. */
  readonly t: string;
  /** Total. */
  readonly n: number;
  /** Epoch ms from which it is forgotten, and the same for the TTL index. */
  readonly x: number;
  readonly d: Date;
  /** Who wrote last, to recognize an addition whose answer was lost. */
  readonly w: string;
}

const NAME = 'counters';
const TIME = { maxTimeMS: MAX_TIME_MS } as const;
/** `before`: the total after is computed here, so that no server can answer with what a later addition made of it. */
const BEFORE = { projection: { _id: 0, n: 1 }, returnDocument: 'before', ...TIME } as const;
/** Each round fails only when another writer changed what the counter is (living, expired, absent) in the middle of it. */
const ROUNDS = 16;
const MAX_DATE_MS = 8_640_000_000_000_000;

export function createMongoCounters(link: Link): Counters {
  return {
    get: async (tenant, id, signal) => {
      assertName(tenant, 'counter tenant');
      assertName(id, 'counter id');
      const living = { _id: recordId(tenant, id), t: tenant, x: { $gt: link.clock.now() } };
      const options = { projection: { _id: 0, n: 1 }, ...TIME } as const;
      const found = await link.run(() => link.records<CounterRecord>(NAME).findOne(living, options), signal);
      return found?.n ?? 0;
    },
    add: async (tenant, id, delta, expiresAt, signal) => {
      assertName(tenant, 'counter tenant');
      assertName(id, 'counter id');
      assertWhole(Math.abs(delta), 'counter delta');
      assertWhole(expiresAt, 'counter expiresAt');
      const place = { _id: recordId(tenant, id), t: tenant };
      const writer = randomId(link.random);
      try {
        return await add(link, place, delta, expiresAt, writer, signal);
      } catch (error) {
        if (!mayHaveHappened(error)) throw error;
        // An addition is not repeated: only what it left behind can tell.
        const wanted = { number: 'x', wanted: ['n', 'w'] } as const;
        const found = await readBack<Pick<CounterRecord, 'n' | 'w'>>(link, NAME, place, wanted, signal);
        if (found?.w === writer) return found.n;
        throw error;
      }
    },
    clear: async (tenant, id, signal) => {
      const remove = (): Promise<unknown> =>
        link.run(
          () => link.records<CounterRecord>(NAME).deleteOne({ _id: recordId(tenant, id), t: tenant }, TIME),
          signal,
        );
      await settled(remove, async () => undefined);
    },
  };
}

async function add(
  link: Link,
  place: { readonly _id: string; readonly t: string },
  delta: number,
  expiresAt: number,
  writer: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const records = link.records<CounterRecord>(NAME);
  const d = new Date(Math.min(expiresAt, MAX_DATE_MS));
  const fresh = { n: Math.max(0, delta), x: expiresAt, d, w: writer };
  for (let round = 0; round < ROUNDS; round += 1) {
    const now = link.clock.now();
    const raise = { $set: { w: writer }, $max: { x: expiresAt, d } };

    const enough = { ...place, x: { $gt: now }, n: { $gte: -delta } };
    const added = await link.run(
      () => records.findOneAndUpdate(enough, { ...raise, $inc: { n: delta } }, BEFORE),
      signal,
    );
    if (added !== null) return added.n + delta;

    const short = { ...place, x: { $gt: now }, n: { $lt: -delta } };
    const emptied = { ...raise, $set: { w: writer, n: 0 } };
    if (delta < 0 && (await link.run(() => records.findOneAndUpdate(short, emptied, BEFORE), signal)) !== null)
      return 0;

    const expired = { ...place, x: { $lte: now } };
    if ((await link.run(() => records.findOneAndUpdate(expired, { $set: fresh }, BEFORE), signal)) !== null)
      return fresh.n;

    try {
      await link.run(() => records.insertOne({ ...place, ...fresh }, TIME), signal);
      return fresh.n;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  }
  throw new Fault('CONTENTION', 'the counter changed too often; try again', { retryAfterMs: 100 });
}
