import type { ServiceContext } from '../cli/run-service.ts';
import type { Store } from '../domain/storage.ts';
import type { UseMarks } from '../domain/use-marks.ts';

// What a running service does by itself: last uses are written every 30 s, expired documents leave the store once an hour.

const MARKS_EVERY_MS = 30_000;
const SWEEP_EVERY_MS = 3_600_000;
/** Expired documents stay this much longer, so that a clock set back finds them still expired and not gone. */
const SWEEP_GRACE_MS = 24 * 3_600_000;

/** Starts the timers; stopping writes the last marks. Failures are logged and tried again at the next turn. */
export function keepHouse({ lifecycle, logger }: ServiceContext, store: Store, marks: readonly UseMarks[]): void {
  const attempt = (what: string, work: (signal: AbortSignal) => Promise<unknown>) => (): void => {
    work(lifecycle.stopping).catch((error: unknown) => {
      if (!lifecycle.stopping.aborted) logger.warn({ err: error }, `${what} failed; trying again later`);
    });
  };
  const flush = async (signal: AbortSignal): Promise<void> => {
    for (const each of marks) await each.flush(signal);
  };
  const timers = [
    setInterval(attempt('writing last uses', flush), MARKS_EVERY_MS),
    setInterval(
      attempt('sweeping expired documents', (signal) => store.sweep(SWEEP_GRACE_MS, signal)),
      SWEEP_EVERY_MS,
    ),
  ];
  for (const timer of timers) timer.unref();
  lifecycle.onStop('housekeeping', async (signal) => {
    for (const timer of timers) clearInterval(timer);
    await flush(signal);
  });
}
