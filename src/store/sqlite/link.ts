import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../platform/clock.ts';
import { Fault } from '../../platform/faults.ts';
import type { RandomSource } from '../../platform/random.ts';
import type { Write } from './write.ts';
import type { WriteQueue } from './write-queue.ts';

/** What every part of the adapter needs: reads on this thread, writes through the queue. */
export interface Link {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly queue: WriteQueue;
  /**
   * Runs one read. Throws the signal's reason, or UNAVAILABLE when the store is closed or the disk fails. A read is a statement
   * that is run to its end, so it never holds back the copying of the write-ahead log.
   */
  read<T>(signal: AbortSignal | undefined, query: () => T): T;
}

export function createLink(database: DatabaseSync, clock: Clock, random: RandomSource, queue: WriteQueue): Link {
  return {
    database,
    clock,
    random,
    queue,
    read: (signal, query) => {
      signal?.throwIfAborted();
      if (!database.isOpen) throw new Fault('UNAVAILABLE', 'the store is closed');
      try {
        return query();
      } catch (error) {
        if (error instanceof Error && 'errcode' in error) {
          throw new Fault('UNAVAILABLE', 'the store cannot be read', { cause: error });
        }
        throw error;
      }
    },
  };
}

/** Repeats a bounded write until it removes less than its limit, so that others get their turn in between. Returns the sum. */
export async function drain(
  link: Link,
  write: Extract<Write, { limit: number }>,
  signal: AbortSignal | undefined,
): Promise<number> {
  for (let sum = 0; ; ) {
    const outcome = await link.queue.submit(write, 0, signal);
    const count = outcome.kind === 'done' ? Number(outcome.value) : 0;
    sum += count;
    if (count < write.limit) return sum;
  }
}
