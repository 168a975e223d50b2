import { Fault } from '../../platform/faults.ts';

// How many operations are under way at once. The driver's pool gives a waiter 300 ms, which is meant for an outage; a burst of
// requests waits here instead, as long as its caller wants to, in a queue with an end.

export interface Gate {
  /** Resolves, in order of arrival, to a function that frees the place. Throws OVERLOADED, or the signal's reason. */
  enter(signal: AbortSignal | undefined): Promise<() => void>;
  /** Rejects everybody who waits: what they wait for is known to be gone. */
  refuse(reason: unknown): void;
  /** Resolves when nothing is under way or waiting. */
  idle(): Promise<void>;
}

interface Waiter {
  admit(): void;
  refuse(reason: unknown): void;
}

/** At most `width` inside and `depth` waiting. */
export function createGate(width: number, depth: number): Gate {
  const waiting = new Set<Waiter>();
  const idlers: (() => void)[] = [];
  let inside = 0;

  const leave = (): void => {
    const [next] = waiting;
    if (next !== undefined) {
      waiting.delete(next);
      next.admit();
      return;
    }
    inside -= 1;
    if (inside === 0) for (const idler of idlers.splice(0)) idler();
  };

  return {
    enter: async (signal) => {
      signal?.throwIfAborted();
      if (inside < width) {
        inside += 1;
        return leave;
      }
      if (waiting.size >= depth) {
        throw new Fault('OVERLOADED', 'too many storage operations are waiting', { retryAfterMs: 100 });
      }
      return new Promise((resolve, reject) => {
        const leaveQueue = (): void => {
          waiting.delete(waiter);
          signal?.removeEventListener('abort', stop);
        };
        const waiter: Waiter = {
          admit: () => {
            leaveQueue();
            resolve(leave);
          },
          refuse: (reason) => {
            leaveQueue();
            reject(reason);
          },
        };
        const stop = (): void => waiter.refuse(signal?.reason);
        waiting.add(waiter);
        signal?.addEventListener('abort', stop, { once: true });
      });
    },
    refuse: (reason) => {
      for (const waiter of [...waiting]) waiter.refuse(reason);
    },
    idle: () => (inside === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
  };
}
