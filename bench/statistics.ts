// What the benches say of their samples.

/** The value below which `share` (0 to 1) of the values lie; in any order. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The 95 % interval of the ratio of two medians, by the percentile bootstrap (Efron 1979): both samples are drawn anew, with replacement, many
 * times over, and the ratios in the middle 95 % are told. No shape of the distributions is assumed.
 */
export function ratioOfMedians(above: readonly number[], below: readonly number[], rounds = 2_000): Interval {
  const ratios = Array.from({ length: rounds }, () => quantile(drawn(above), 0.5) / quantile(drawn(below), 0.5));
  return { low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) };
}

/** The values in a random order (Fisher-Yates). */
export function shuffled<T>(values: readonly T[]): readonly T[] {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}

function drawn(values: readonly number[]): readonly number[] {
  return values.map(() => values[Math.floor(Math.random() * values.length)] ?? Number.NaN);
}
