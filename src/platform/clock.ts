// Time, injected everywhere so that a test sets it and a simulation replays exactly.

export interface Clock {
  /** Epoch milliseconds. Within one process it never runs backwards, whatever the wall clock does. */
  now(): number;
  /** Epoch milliseconds as the operating system tells them, backwards jumps included: for comparing with another machine. */
  wall(): number;
  /** Milliseconds since an arbitrary start; unaffected by clock changes. For durations and staleness. */
  monotonic(): number;
}

/**
 * A clock that stands still for one piece of work that runs without a break. A call that is answered from memory asks for the time in a
 * dozen places: reading it once saves a tenth of the call, and every one of its checks is then about the same moment.
 */
export interface TurnClock extends Clock {
  /** From the next reading on the time stands still, until `release`, which must follow before anything is waited for. */
  hold(): void;
  release(): void;
}

/** The machine's clock, with `now()` held at its highest value while the wall clock lags behind it. */
export function systemClock(): TurnClock {
  return new SystemClock();
}

/** The reading of a held clock that was not asked for yet. */
const UNREAD = -1;

class SystemClock implements TurnClock {
  #latest = 0;
  #held = false;
  #wall = UNREAD;
  #monotonic = UNREAD;

  now(): number {
    const wall = this.wall();
    if (wall > this.#latest) this.#latest = wall;
    return this.#latest;
  }

  wall(): number {
    if (!this.#held) return Date.now();
    if (this.#wall === UNREAD) this.#wall = Date.now();
    return this.#wall;
  }

  monotonic(): number {
    if (!this.#held) return performance.now();
    if (this.#monotonic === UNREAD) this.#monotonic = performance.now();
    return this.#monotonic;
  }

  hold(): void {
    this.#held = true;
    this.#wall = UNREAD;
    this.#monotonic = UNREAD;
  }

  release(): void {
    this.#held = false;
  }
}
