import type { Logger } from '../platform/logger.ts';

// What ends a process from outside or by a bug. One place owns the process's events.

export type Ending =
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  /** An exception nobody handled: the state is unknown, so the process ends and its supervisor starts a new one. */
  | { readonly kind: 'crash' };

/**
 * A repeated signal within this time is the same one: Ctrl-C under npm arrives twice, from the terminal and from npm. A later one
 * means that somebody does not want to wait for the drain.
 */
const SAME_SIGNAL_MS = 1000;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Listens from now on; `ended` resolves with the first thing that ends the process. A later signal ends it at once, with 1. */
export function watchEndings(logger: Logger): { readonly ended: Promise<Ending> } {
  const ended = Promise.withResolvers<Ending>();
  let firstAt: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now();
      if (firstAt !== undefined && now - firstAt > SAME_SIGNAL_MS) process.exit(1);
      firstAt ??= now;
      ended.resolve({ kind: 'signal', signal });
    });
  }
  process.on('uncaughtException', (error) => {
    logger.error({ err: error }, 'unhandled exception: ending the process');
    ended.resolve({ kind: 'crash' });
  });
  // The reader of the first screen may have gone: no reason to stop serving.
  process.stdout.on('error', () => {});
  return { ended: ended.promise };
}
