/** What a load process reports over IPC. */
export interface LanesResult {
  readonly failures: number;
  readonly firstFailure: string;
  readonly seconds: number;
  /** Milliseconds, unsorted; of the calls that succeeded. */
  readonly latencies: readonly number[];
  /** CPU seconds of the load process itself, where it is the one measured. */
  readonly cpuSeconds?: number | undefined;
}

/** Runs `calls` steps, `inFlight` at a time, or fewer when `isOver`; each lane starts its next step when its last one is answered. */
export async function lanes(
  calls: number,
  inFlight: number,
  step: (lane: number) => Promise<void>,
  isOver: () => boolean = () => false,
): Promise<LanesResult> {
  const latencies: number[] = [];
  let failures = 0;
  let firstFailure = '';
  let left = calls;
  const start = performance.now();
  const lane = async (index: number): Promise<void> => {
    while (left > 0 && !isOver()) {
      left -= 1;
      const begun = performance.now();
      try {
        await step(index);
        latencies.push(performance.now() - begun);
      } catch (error) {
        failures += 1;
        firstFailure ||= String(error);
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, index) => lane(index)));
  return { failures, firstFailure, seconds: (performance.now() - start) / 1000, latencies };
}
