import type { CollectionName, Document, Store } from '../../src/domain/storage.ts';
import type { Clock } from '../../src/platform/clock.ts';
import { Fault } from '../../src/platform/faults.ts';
import type { RandomSource } from '../../src/platform/random.ts';
import { createMemoryAuditTrail } from './memory-store/audit-trail.ts';
import { createMemoryChangeLog } from './memory-store/change-log.ts';
import { createMemoryCollection } from './memory-store/collection.ts';
import { createMemoryCounters } from './memory-store/counters.ts';

// The whole storage port in memory, for unit tests: JSON text inside, so that nothing is shared with the caller, and the
// same conformance suite as the real adapters. Every call takes at least one turn of the event loop, as a real store does.

export interface MemoryStore extends Store {
  /** While on, every call is UNAVAILABLE and changes nothing. */
  outage(on: boolean): void;
  /** Runs before each call, for a test that interleaves something. Undefined: nothing. */
  before(hook: ((call: string) => Promise<void> | void) | undefined): void;
  /** Takes calls again after `close`; the data is still there. */
  reopen(): void;
  /** Alters a chunk of the stream's checkpoint, as a bad disk would. */
  damageCheckpoint(stream: string): void;
  /** Loses a stream's entries after `newest`, as a restored backup does. */
  truncateLog(stream: string, newest: number): void;
}

/** What each part of the store does first: take a turn, honour the signal, be out when told to. */
export type Turn = (call: string, signal: AbortSignal | undefined) => Promise<void>;

export interface MemoryParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly turn: Turn;
}

export function createMemoryStore(options: { readonly clock: Clock; readonly random: RandomSource }): MemoryStore {
  let out = false;
  let closed = false;
  let hook: ((call: string) => Promise<void> | void) | undefined;
  const turn: Turn = async (call, signal) => {
    signal?.throwIfAborted();
    await hook?.(call);
    await Promise.resolve();
    signal?.throwIfAborted();
    if (closed) throw new Fault('UNAVAILABLE', 'the store is closed');
    if (out) throw new Fault('UNAVAILABLE', 'the store does not answer');
  };
  const parts: MemoryParts = { ...options, turn };
  const collections = new Map<CollectionName, ReturnType<typeof createMemoryCollection>>();
  const collectionOf = (name: CollectionName): ReturnType<typeof createMemoryCollection> => {
    const known = collections.get(name) ?? createMemoryCollection(name, parts);
    collections.set(name, known);
    return known;
  };
  const changeLog = createMemoryChangeLog(parts);
  return {
    kind: 'memory',
    collection: <D extends Document>(name: CollectionName) => collectionOf(name).as<D>(),
    counters: createMemoryCounters(parts),
    changeLog: changeLog.log,
    auditTrail: createMemoryAuditTrail(parts),
    ping: (signal) => turn('ping', signal),
    sweep: async (graceMs, signal) => {
      await turn('sweep', signal);
      let swept = 0;
      for (const collection of collections.values()) swept += collection.sweep(options.clock.now() - graceMs);
      return swept;
    },
    close: async () => {
      closed = true;
    },
    outage: (on) => {
      out = on;
    },
    before: (next) => {
      hook = next;
    },
    reopen: () => {
      closed = false;
    },
    damageCheckpoint: changeLog.damage,
    truncateLog: changeLog.truncate,
  };
}
