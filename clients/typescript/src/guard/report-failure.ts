import type { Refusal } from './refusal.ts';

const EVERY_MS = 60_000;

/** Passes refusals that are nobody's fault outside to `onFailure`, or warns: a wrong key must not be a riddle, nor fill a log. */
export function failureReporter(onFailure: ((failure: Error) => void) | undefined): (refusal: Refusal) => void {
  const warnedAt = new Map<string, number>();
  const warn = (refusal: Refusal): void => {
    const now = performance.now();
    if (now - (warnedAt.get(refusal.code) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    warnedAt.set(refusal.code, now);
    const { cause } = refusal;
    process.emitWarning(cause instanceof Error ? cause.message : refusal.message, {
      type: 'SallyportWarning',
      code: refusal.code,
    });
  };
  const report = onFailure ?? warn;
  return (refusal) => {
    if (refusal.status >= 500) report(refusal);
  };
}
