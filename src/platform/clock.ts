// Time, injected everywhere so that a test sets it and a simulation replays exactly.

export interface Clock {
  /** Epoch milliseconds. Within one process it never runs backwards, whatever the wall clock does. */
  now(): number;
  /** Epoch milliseconds as the operating system tells them, backwards jumps included: for comparing with another machine. */
  wall(): number;
  /** Milliseconds since an arbitrary start; unaffected by clock changes. For durations and staleness. */
  monotonic(): number;
}

/** The machine's clock, with `now()` held at its highest value while the wall clock lags behind it. */
export function systemClock(): Clock {
  let latest = 0;
  return {
    now: () => {
      const wall = Date.now();
      if (wall > latest) latest = wall;
      return latest;
    },
    wall: () => Date.now(),
    monotonic: () => performance.now(),
  };
}
