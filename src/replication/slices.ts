import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';

/** Longest stretch of background work before decisions get their turn, ms. */
const SLICE_MS = 5;

/** Cuts long work into slices: `pause` lets the event loop turn when the slice is used up, and costs a clock reading otherwise. */
export interface Slices {
  pause(): Promise<void> | undefined;
}

export function createSlices(clock: Clock): Slices {
  let began = clock.monotonic();
  return {
    pause: () => {
      if (clock.monotonic() - began < SLICE_MS) return undefined;
      return setImmediate().then(() => {
        began = clock.monotonic();
      });
    },
  };
}
