import type { Logger } from './logger.ts';

// Ordered start and stop. What was opened last is closed first; each close is bounded, and so is the whole, so that a stuck
// connection cannot keep a terminated process alive.

/** Milliseconds that the whole stop may take: below the 30 s after which Kubernetes kills. */
export const DEFAULT_SHUTDOWN_MS = 10_000;

/** What a closer still gets when those before it used up the time: enough to release a lock file. */
const LAST_CHANCE_MS = 250;

/** `signal` aborts when the closer's time is up: let go of what is still open then. */
export type Closer = (signal: AbortSignal) => Promise<void> | void;

export interface StopReport {
  /** Names of parts that did not close in time. */
  readonly late: readonly string[];
  /** Names of parts whose close threw; the error is logged. */
  readonly failed: readonly string[];
}

export interface Lifecycle {
  /** Opens a part and remembers how to close it. Rejects with what `open` threw; nothing is remembered then. */
  start<T>(
    name: string,
    open: () => Promise<T> | T,
    close: (part: T, signal: AbortSignal) => Promise<void> | void,
  ): Promise<T>;
  /** Remembers how to close something that is open already. */
  onStop(name: string, close: Closer): void;
  /** Closes everything in reverse order, once: later calls get the same promise. Never rejects. */
  stop(): Promise<StopReport>;
  /** Aborts as soon as `stop` is called: readiness turns off, followers end. */
  readonly stopping: AbortSignal;
}

/** `shutdownMs` bounds the whole stop, in milliseconds. */
export function createLifecycle(options: { logger: Logger; shutdownMs?: number }): Lifecycle {
  const { logger, shutdownMs = DEFAULT_SHUTDOWN_MS } = options;
  const closers: { name: string; close: Closer }[] = [];
  const stopping = new AbortController();
  let stopped: Promise<StopReport> | undefined;

  const onStop = (name: string, close: Closer): void => {
    closers.push({ name, close });
  };
  const closeAll = async (): Promise<StopReport> => {
    const late: string[] = [];
    const failed: string[] = [];
    const deadline = performance.now() + shutdownMs;
    // Not a for-of: a part whose start was under way when the stop began still registers its closer.
    for (let part = closers.pop(); part !== undefined; part = closers.pop()) {
      const outcome = await closeOne(
        part.name,
        part.close,
        Math.max(LAST_CHANCE_MS, deadline - performance.now()),
        logger,
      );
      if (outcome === 'late') late.push(part.name);
      if (outcome === 'failed') failed.push(part.name);
    }
    return { late, failed };
  };

  return {
    stopping: stopping.signal,
    onStop,
    start: async (name, open, close) => {
      if (stopped !== undefined) throw new Error(`${name} not started: the service is stopping`);
      const part = await open();
      // The stop may have begun, and even ended, while this part was opening.
      if (stopped !== undefined) {
        await closeOne(name, (signal) => close(part, signal), LAST_CHANCE_MS, logger);
        throw new Error(`${name} closed again: the service is stopping`);
      }
      onStop(name, (signal) => close(part, signal));
      return part;
    },
    stop: () => {
      if (stopped === undefined) {
        stopped = closeAll();
        stopping.abort();
      }
      return stopped;
    },
  };
}

async function closeOne(
  name: string,
  close: Closer,
  limitMs: number,
  logger: Logger,
): Promise<'closed' | 'late' | 'failed'> {
  const timeUp = new AbortController();
  const limit = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => {
    timeUp.abort();
    limit.resolve('late');
  }, limitMs);
  const closed = (async () => close(timeUp.signal))().then(
    () => 'closed' as const,
    (error: unknown) => {
      logger.error({ part: name, err: error }, 'a part of the service did not close cleanly');
      return 'failed' as const;
    },
  );
  const outcome = await Promise.race([closed, limit.promise]);
  clearTimeout(timer);
  if (outcome === 'late')
    logger.warn({ part: name, limitMs: Math.round(limitMs) }, 'a part of the service did not close in time');
  return outcome;
}
