import type { Outcome, Write } from './write.ts';

/** Writes that may wait for the writer thread. */
export const MAX_WAITING = 10_000;
/** Bodies that may wait, in UTF-16 units (at most 3 bytes each). */
export const MAX_WAITING_LENGTH = 64 * 1024 * 1024;
/** Writes of one transaction: the most that one commit makes another write wait for. */
export const MAX_BATCH = 512;
/** Bodies of one transaction, in UTF-16 units. One larger write still goes, alone. */
const MAX_BATCH_LENGTH = 8 * 1024 * 1024;

/** One submitted write and its caller. */
export interface Entry {
  readonly write: Write;
  /** Of its bodies, in UTF-16 units. */
  readonly length: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
  /** The caller has gone: an entry that still waits then is never sent. */
  cancelled: boolean;
  /** Stops listening to the caller's signal. */
  release: () => void;
}

export interface WaitingWrites {
  /** False when there is no room: the write is not taken. */
  add(entry: Entry): boolean;
  /** Removes and returns the next batch, in order, without those whose caller has gone. */
  takeBatch(): readonly Entry[];
  /** Removes and returns all. */
  takeAll(): readonly Entry[];
  count(): number;
}

/** The bounded queue before the writer thread. */
export function createWaitingWrites(): WaitingWrites {
  let entries: Entry[] = [];
  let total = 0;
  return {
    add: (entry) => {
      if (entries.length >= MAX_WAITING || total + entry.length > MAX_WAITING_LENGTH) return false;
      entries.push(entry);
      total += entry.length;
      return true;
    },
    takeBatch: () => {
      const batch: Entry[] = [];
      let length = 0;
      let taken = 0;
      for (const entry of entries) {
        if (batch.length >= MAX_BATCH || (batch.length > 0 && length + entry.length > MAX_BATCH_LENGTH)) break;
        taken += 1;
        total -= entry.length;
        if (entry.cancelled) continue;
        batch.push(entry);
        length += entry.length;
      }
      entries = entries.slice(taken);
      return batch;
    },
    takeAll: () => {
      const all = entries;
      entries = [];
      total = 0;
      return all;
    },
    count: () => entries.length,
  };
}
