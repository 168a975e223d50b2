/** What one round of load against one server gave. */
export interface LoadResult {
  readonly calls: number;
  /** Calls that did not end in an OK answer; a round with failures is not a measurement. */
  readonly failures: number;
  readonly seconds: number;
  /** Latencies in milliseconds, ascending. */
  readonly latencies: Float64Array;
  /** CPU seconds that the load itself used, where it is the load that is measured. */
  readonly cpuSeconds?: number | undefined;
}

/** The value below which `share` (0 to 1) of the ascending values lie. */
export function percentile(ascending: Float64Array, share: number): number {
  const at = Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1));
  return ascending[at] ?? Number.NaN;
}
