import { isDue, type Outbox } from '../domain/outbox.ts';
import { type CollectionName, collectionNames, type Document, type Effect, type Store } from '../domain/storage.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

// Finishes what a process that died left in documents' outboxes: at start, and whatever has been pending for 30 s. Several replicas may
// do so at once; effects are idempotent.

/** Longer than any call lives: what is younger is still in somebody's hands. */
const PENDING_MS = 30_000;
const SWEEP_EVERY_MS = 10_000;
const DOCUMENTS_AT_ONCE = 1000;
/** Pages of one collection per sweep. */
const MAX_ROUNDS = 100;

export interface OutboxSweeperOptions {
  readonly store: Store;
  readonly outbox: Outbox;
  /** Kinds of effects that this release performs. */
  readonly kinds: ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface OutboxSweeper {
  /** Finishes everything that is pending, then goes on sweeping. Never rejects: what fails is tried again. */
  start(): Promise<void>;
  /** Settles documents last written before `olderThan` (epoch ms); returns how many were settled. */
  sweep(olderThan: number): Promise<number>;
  stop(): Promise<void>;
}

export function createOutboxSweeper(options: OutboxSweeperOptions): OutboxSweeper {
  const { clock } = options;
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  const sweep = async (olderThan: number): Promise<number> => {
    let settled = 0;
    for (const name of collectionNames) settled += await sweepCollection(options, name, olderThan, stopped.signal);
    return settled;
  };
  const schedule = (): void => {
    if (stopped.signal.aborted) return;
    timer = setTimeout(() => {
      running = sweep(clock.now() - PENDING_MS).finally(schedule);
    }, SWEEP_EVERY_MS);
    timer.unref();
  };
  return {
    start: async () => {
      running = sweep(clock.now() + 1);
      await running;
      schedule();
    },
    sweep,
    stop: async () => {
      stopped.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

async function sweepCollection(
  options: OutboxSweeperOptions,
  name: CollectionName,
  olderThan: number,
  signal: AbortSignal,
): Promise<number> {
  const collection = options.store.collection<Document>(name);
  let settled = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (signal.aborted) return settled;
    let progress = 0;
    try {
      const pending = await collection.pending(olderThan, DOCUMENTS_AT_ONCE, signal);
      for (const document of pending) {
        if (signal.aborted) return settled;
        if (await settle(options, name, document, signal)) progress += 1;
      }
      settled += progress;
      if (pending.length < DOCUMENTS_AT_ONCE || progress === 0) return settled;
    } catch (error) {
      if (!signal.aborted) options.logger.warn({ collection: name, err: error }, 'pending effects could not be read');
      return settled;
    }
  }
  return settled;
}

/** False when something is left; the others are not held up by it. */
async function settle(
  { outbox, store, kinds, clock, logger }: OutboxSweeperOptions,
  name: CollectionName,
  document: Document,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await outbox.settle(name, document, signal);
  } catch (error) {
    if (!signal.aborted)
      logger.warn({ collection: name, err: error }, 'an effect could not be performed; it is tried again');
    return false;
  }
  const isLeft = (effect: Effect): boolean => !kinds.has(effect.kind) || !isDue(effect, clock.now());
  if (document.outbox?.some(isLeft) === true) return false;
  // One that has expired is out of reach of a swap; with its effects performed nothing is left to keep it for.
  if (document.expiresAt !== undefined && document.expiresAt <= clock.now()) {
    await store.collection<Document>(name).remove(document.tenant, document.id, document.version, signal);
  }
  return true;
}
