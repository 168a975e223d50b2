import type { Clock } from '../../src/platform/clock.ts';

/** A clock that moves only when told to. */
export interface FakeClock extends Clock {
  /** Moves all three readings forward by `ms`. */
  advance(ms: number): void;
}

/** 2027-01-15T08:00:00Z. */
export const FAKE_START_MS = 1_800_000_000_000;

/** `wall` overrides the wall clock, for a part that compares it with a real server's. */
export function fakeClock(startMs: number = FAKE_START_MS, wall?: () => number): FakeClock {
  let elapsedMs = 0;
  return {
    now: () => startMs + elapsedMs,
    wall: wall ?? (() => startMs + elapsedMs),
    monotonic: () => elapsedMs,
    advance: (ms) => {
      elapsedMs += ms;
    },
  };
}
