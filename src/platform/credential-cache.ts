import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';

// What a checked credential stands for, remembered so that the next use of it touches no store.
//
// The race: a fill reads the store, the credential is revoked and its revocation applied here, and only then the fill keeps what it
// read. So a fill notes the position of the revocation log before it reads and keeps nothing when that has moved. (Whoever reads
// the cache consults the set of what is revoked as well: either rule alone would do while the set is complete.)

export interface CredentialCache<V> {
  /** What is remembered under `key`, unless it is older than `maxAgeMs`. Synchronous. */
  get(key: string): V | undefined;
  /**
   * To be called before the store is read; the answer keeps what was read. `position` tells where the revocation log stands; undefined
   * where it is not followed, and then nothing is kept.
   */
  begin(position: () => number | undefined): (key: string, value: V) => void;
  delete(key: string): void;
  /** Forgets every value that `matches`; looks at all of them. */
  forget(matches: (value: V) => boolean): void;
  readonly size: number;
}

export function createCredentialCache<V>(options: {
  /** Entries; the least recently used go first. */
  readonly max: number;
  readonly maxAgeMs: number;
  readonly clock: Clock;
}): CredentialCache<V> {
  const { clock, maxAgeMs } = options;
  const entries = new LRUCache<string, { readonly value: V; readonly keptAtMs: number }>({ max: options.max });
  return {
    get: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      // Monotonic, so that setting the clock back prolongs nothing.
      if (clock.monotonic() - entry.keptAtMs < maxAgeMs) return entry.value;
      entries.delete(key);
      return undefined;
    },
    begin: (position) => {
      const before = position();
      return (key, value) => {
        if (before === undefined || position() !== before) return;
        entries.set(key, { value, keptAtMs: clock.monotonic() });
      };
    },
    delete: (key) => {
      entries.delete(key);
    },
    forget: (matches) => {
      for (const [key, { value }] of [...entries.entries()]) if (matches(value)) entries.delete(key);
    },
    get size() {
      return entries.size;
    },
  };
}
