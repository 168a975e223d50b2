import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { CollectionName, Document, Store } from '../../../src/domain/storage.ts';
import type { RandomSource } from '../../../src/platform/random.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { cheapHashes, type ServiceProcess, startService } from '../../support/service-process.ts';
import { type Calls, connectCalls } from '../calls.ts';
import { endedWithTheirParent, hashingProcessesOf } from './hashing-processes.ts';
import type { Tracked } from './tracked.ts';
import { TrackedGrant } from './tracked-grant.ts';
import { TrackedKey } from './tracked-key.ts';
import { TrackedUser } from './tracked-user.ts';

// kill -9 in the middle of mixed writes, again and again on the same data. Each writer makes one write after the other on things of its own,
// so at most one write of each is without an answer, and everything else must be there afterwards.

export interface KilledPlace {
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Looks into the store itself, beside the service that may be running on it. */
  look<T>(at: (store: Store) => Promise<T>): Promise<T>;
}

const WRITERS = 8;
const KILLS = process.env['CI'] === 'true' ? 50 : 5;
/** Acknowledged writes after which a round is cut: this many and up to 63 more. */
const MIN_WRITES = 20;

const COLLECTIONS: readonly CollectionName[] = ['users', 'sessions', 'challenges', 'apiKeys', 'keySets', 'tenants'];
const UNAVAILABLE = 14;

interface Writer {
  readonly tracked: Tracked[];
  /** Of this round. */
  readonly touched: Set<Tracked>;
}

/** Kills and restarts, then checks everything that was ever acknowledged. `seed` decides what is written and when it is cut. */
export async function killService(t: TestContext, place: KilledPlace, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const writers = Array.from({ length: WRITERS }, (): Writer => ({ tracked: [], touched: new Set() }));
  const options = { dataDir: place.dataDir, env: { ...place.env, ...cheapHashes, SALLYPORT_LOG_LEVEL: 'warn' } };
  const children: number[] = [];
  let service = await startService(options);
  let slowestMs = 0;
  let acknowledged = 0;
  let unfinished = 0;
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      children.push(...hashingProcessesOf(service.pid));
      acknowledged += await writeUntilKilled(service, writers, random);
      unfinished += await pendingIn(place);
      service = await startService(options);
      slowestMs = Math.max(slowestMs, service.readyAfterMs);
      assert.equal(await pendingIn(place), 0, 'the start left outboxes unfinished');
      await withCalls(service, (calls) => each(writers, (writer) => recover(writer, calls)));
    }
    await withCalls(service, (calls) => each(writers, (writer) => checkAll(writer.tracked, calls)));
    assert.equal(await service.stop(), 0);
  } catch (error) {
    t.diagnostic(service.output());
    throw error;
  }
  assert.equal(await pendingIn(place), 0, 'outboxes were left unfinished at the end');
  if (process.platform === 'linux') assert.equal(children.length, KILLS, 'one hashing process of each service');
  await endedWithTheirParent(children);
  t.diagnostic(
    `${KILLS} kills, ${acknowledged} writes acknowledged, ${unfinished} outboxes found unfinished and finished; ` +
      `ready again after at most ${Math.round(slowestMs)} ms`,
  );
}

async function writeUntilKilled(service: ServiceProcess, writers: readonly Writer[], random: RandomSource) {
  let left = MIN_WRITES + ((random.bytes(1)[0] ?? 0) >> 2);
  let acknowledged = 0;
  await withCalls(service, (calls) =>
    each(writers, async (writer) => {
      writer.touched.clear();
      for (;;) {
        const next = choose(random, open(writer, random));
        writer.touched.add(next);
        try {
          await next.write(calls);
        } catch (error) {
          if (left > 0 || !(error instanceof Error && 'code' in error && error.code === UNAVAILABLE)) throw error;
          return;
        }
        acknowledged += 1;
        left -= 1;
        if (left === 0) void service.stop('SIGKILL');
      }
    }),
  );
  assert.equal(await service.stop('SIGKILL'), 'SIGKILL');
  return acknowledged;
}

/** What the writer can go on with: one of each kind. */
function open(writer: Writer, random: RandomSource): readonly Tracked[] {
  const going = writer.tracked.filter((one) => !one.done);
  if (going.length === 0) {
    going.push(new TrackedUser((writes) => choose(random, writes)), new TrackedKey(), new TrackedGrant());
    writer.tracked.push(...going);
  }
  return going;
}

async function recover(writer: Writer, calls: Calls): Promise<void> {
  for (const one of writer.touched) await one.settle(calls);
  await checkAll([...writer.touched], calls);
}

async function checkAll(tracked: readonly Tracked[], calls: Calls): Promise<void> {
  for (const one of tracked) await one.check(calls);
}

function pendingIn(place: KilledPlace): Promise<number> {
  return place.look(async (store) => {
    let count = 0;
    for (const name of COLLECTIONS) {
      count += (await store.collection<Document>(name).pending(Number.MAX_SAFE_INTEGER, 1000)).length;
    }
    return count;
  });
}

async function withCalls(service: ServiceProcess, use: (calls: Calls) => Promise<unknown>): Promise<void> {
  const calls = connectCalls(service);
  try {
    await use(calls);
  } finally {
    calls.close();
  }
}

function each(writers: readonly Writer[], run: (writer: Writer) => Promise<void>): Promise<unknown> {
  return Promise.all(writers.map(run));
}

function choose<T>(random: RandomSource, among: readonly T[]): T {
  const chosen = among[(random.bytes(1)[0] ?? 0) % among.length];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}
