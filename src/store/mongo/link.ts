import type { Document as BsonRecord, Db, Collection as DriverCollection } from 'mongodb';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { RandomSource } from '../../platform/random.ts';
import { isPoolTimeout, isUnreachable, mayHaveHappened, toFault } from './driver-fault.ts';
import { createGate } from './gate.ts';

/** What every part of the adapter needs: the database, and one way to run an operation on it. */
export interface Link {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Reads what a majority of a replica set has; writes with w:majority and journal. */
  records<R extends BsonRecord>(name: string): DriverCollection<R>;
  /** Reads what the primary has, though a majority may not have it yet: to find out what a unique index collided with. */
  latest<R extends BsonRecord>(name: string): DriverCollection<R>;
  /**
   * Runs one driver operation. Rejects with the signal's reason as soon as it aborts; what was sent then goes on unseen. Throws
   * a Fault, or the driver's own error for E11000 (driver-fault.ts).
   */
  run<T>(operation: () => Promise<T>, signal: AbortSignal | undefined): Promise<T>;
  /** Refuses operations from now on with UNAVAILABLE; resolves when none is under way. */
  close(): Promise<void>;
}

/** Operations at once, and the size of the driver's pool. */
export const MAX_CONNECTIONS = 48;
const MAX_WAITING = 4096;
/** An operation that the pool gave no connection was never sent, so trying again is always safe. */
const POOL_ATTEMPTS = 3;

/** The server ends an operation after this many milliseconds. Every operation passes it. */
export const MAX_TIME_MS = 5000;

export function createLink(db: Db, latest: Db, clock: Clock, random: RandomSource): Link {
  const gate = createGate(MAX_CONNECTIONS, MAX_WAITING);
  let closed = false;
  return {
    clock,
    random,
    records: (name) => db.collection(name),
    latest: (name) => latest.collection(name),
    run: async (operation, signal) => {
      if (closed) throw new Fault('UNAVAILABLE', 'the store is closed');
      const leave = await gate.enter(signal);
      const work = withConnection(operation);
      // The place is freed when the work ends, not when its caller gives up: the connection is busy until then.
      work.then(leave, (error: unknown) => {
        // Whoever waits would only find the same after another 3 s each.
        if (isUnreachable(error)) gate.refuse(error);
        leave();
      });
      return orAborted(work, signal);
    },
    close: () => {
      closed = true;
      return gate.idle();
    },
  };
}

/**
 * Runs a write that may be repeated (guarded by a version, or idempotent). After an ambiguous error `readBack` says what became of
 * it: a value means that it is settled, undefined that the write is not there, and it is tried once more.
 */
export async function settled<T>(attempt: () => Promise<T>, readBack: () => Promise<T | undefined>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!mayHaveHappened(error)) throw error;
    const known = await readBack();
    if (known !== undefined) return known;
  }
  try {
    return await attempt();
  } catch (error) {
    if (!mayHaveHappened(error)) throw error;
    const known = await readBack();
    if (known === undefined) throw error;
    return known;
  }
}

/** Runs an operation that may have to wait for a connection, `attempts` times as long as the driver's pool lets it. Throws as `Link.run`. */
export async function withConnection<T>(operation: () => Promise<T>, attempts = POOL_ATTEMPTS): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await operation();
    } catch (error) {
      if (isPoolTimeout(error) && attempt < attempts) continue;
      throw toFault(error);
    }
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    const done = (): void => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(done);
  });
}
