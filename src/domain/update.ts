import { Fault } from '../platform/faults.ts';
import type { RandomSource } from '../platform/random.ts';
import type { Collection, Document, Draft } from './storage.ts';

// Read, apply a pure change, compare-and-swap, retry.
//
// Updates of one document queue up inside a process, so only another replica can win a race against this one. A lost race is
// retried with jitter, at most 8 times, then it is CONTENTION (ABORTED to the caller, who may retry).

const ATTEMPTS = 8;
const BACKOFF_MS = 5;

/** What a change function answers. `keep` ends the update without a write. */
export type Change<D extends Document, R> =
  | { readonly kind: 'write'; readonly draft: Draft<D>; readonly result: R }
  | { readonly kind: 'keep'; readonly result: R };

export type UpdateResult<D extends Document, R> =
  | { readonly kind: 'done'; readonly document: D | undefined; readonly result: R }
  /** A key of the draft is held by another document. */
  | { readonly kind: 'exists'; readonly key: string };

export interface Updates {
  /**
   * Changes one document, from whatever state it is in (`undefined`: absent). `change` must be pure: it may run several times.
   * `name` is the collection's name; it keeps equal ids of different collections in different queues.
   */
  update<D extends Document, R>(
    name: string,
    collection: Collection<D>,
    tenant: string,
    id: string,
    change: (current: D | undefined) => Change<D, R>,
    signal?: AbortSignal,
  ): Promise<UpdateResult<D, R>>;
}

export function createUpdates(random: RandomSource): Updates {
  const queues = new Map<string, Promise<unknown>>();
  return {
    update: (name, collection, tenant, id, change, signal) => {
      const key = `${name}\n${tenant}\n${id}`;
      const before = queues.get(key) ?? Promise.resolve();
      const run = before.then(
        () => swap(collection, tenant, id, change, random, signal),
        () => swap(collection, tenant, id, change, random, signal),
      );
      queues.set(key, run);
      const forget = (): void => {
        if (queues.get(key) === run) queues.delete(key);
      };
      run.then(forget, forget);
      return run;
    },
  };
}

async function swap<D extends Document, R>(
  collection: Collection<D>,
  tenant: string,
  id: string,
  change: (current: D | undefined) => Change<D, R>,
  random: RandomSource,
  signal: AbortSignal | undefined,
): Promise<UpdateResult<D, R>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    signal?.throwIfAborted();
    if (attempt > 0) await pause(BACKOFF_MS * 2 ** attempt * fraction(random), signal);
    const current = await collection.get(tenant, id, signal);
    const wanted = change(current);
    if (wanted.kind === 'keep') return { kind: 'done', document: current, result: wanted.result };
    if (current === undefined) {
      const inserted = await collection.insert(wanted.draft, signal);
      if (inserted.kind === 'inserted') return { kind: 'done', document: inserted.document, result: wanted.result };
      // Our own id is taken: somebody made the document meanwhile, so read it. Any other key is a true collision.
      if (inserted.key !== id) return inserted;
      continue;
    }
    const replaced = await collection.replace(wanted.draft, current.version, signal);
    if (replaced.kind === 'replaced') return { kind: 'done', document: replaced.document, result: wanted.result };
    if (replaced.kind === 'exists') return replaced;
  }
  throw new Fault('CONTENTION', 'the document changed too often; try again', { retryAfterMs: 100 });
}

function fraction(random: RandomSource): number {
  return (random.bytes(1)[0] ?? 0) / 255;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}
