import type { Metric, Registry } from 'prom-client';

// A histogram whose observation costs a few array accesses: that of prom-client joins label values into a key each time, which is a
// tenth of what a decision costs. Only the exposition goes through prom-client.

export interface HistogramDefinition {
  /** As exported. */
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

/** One series: counts by bucket, the last one for what is above every bound. */
export class HistogramSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Per bucket, not cumulated. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.counts = new Float64Array(bounds.length + 1);
    this.#bounds = bounds;
  }

  /** Throws a RangeError for what is no finite number: it would spoil the sum for good. */
  observe(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`cannot observe ${value}`);
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
  }
}

/** Adds the histogram to the registry; the answer makes its series, one per set of label values. */
export function registerHistogram(
  registry: Registry,
  definition: HistogramDefinition,
): (labels: Readonly<Record<string, string>>) => HistogramSeries {
  const { name, help, buckets } = definition;
  const all: HistogramSeries[] = [];
  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({ ...metric, values: all.flatMap((series) => valuesOf(name, buckets, series)) }),
  };
  // A registry asks a metric for its name and its values; the class that its types name has more, for metrics that are set by label.
  registry.registerMetric(metric as unknown as Metric);
  return (labels) => {
    const series = new HistogramSeries(labels, buckets);
    all.push(series);
    return series;
  };
}

function valuesOf(name: string, buckets: readonly number[], { labels, counts, sum }: HistogramSeries) {
  let count = 0;
  const cumulated = [...buckets, '+Inf'].map((le, bucket) => {
    count += counts[bucket] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
  });
  return [
    ...cumulated,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
