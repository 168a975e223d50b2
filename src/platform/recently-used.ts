import { LRUCache } from 'lru-cache';

/** What was used last, by name. For what may be made anew at any time. */
export interface RecentlyUsed<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

/** Keeps `max` values; the least recently used go first. */
export function createRecentlyUsed<V extends object>(max: number): RecentlyUsed<V> {
  return new LRUCache<string, V>({ max });
}
