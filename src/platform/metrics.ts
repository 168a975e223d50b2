import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { registerHistogram } from './histogram.ts';

// Prometheus metrics with bounded labels: a label's values are listed when the metric is made, and anything else counts as
// `other`, so no caller can grow the number of series. A user id, a tenant or a token is never a label.

/** Seconds. From 100 us (a decision from memory) to 10 s (the default deadline). */
export const DURATION_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** Names and allowed values of a metric's labels. */
export type LabelSets = Readonly<Record<string, readonly string[]>>;

export interface MetricDefinition<Labels extends LabelSets> {
  /** With unit suffix and without prefix: `rpc_duration_seconds` is exported as `sallyport_rpc_duration_seconds`. */
  readonly name: string;
  readonly help: string;
  readonly labels: Labels;
}

/** One series, bound to its label values: take it once, use it per event. */
export interface BoundCounter {
  /** Adds `amount` (default 1, never negative). */
  add(amount?: number): void;
}

export interface BoundHistogram {
  /** `value` in the unit of the metric's name (seconds for durations). */
  observe(value: number): void;
}

/** The series for these label values; a value outside the definition becomes `other`. */
export type Bind<Labels extends LabelSets, Bound> = (values: Readonly<Record<keyof Labels & string, string>>) => Bound;

export interface Metrics {
  counter<const L extends LabelSets>(definition: MetricDefinition<L>): Bind<L, BoundCounter>;
  /** `buckets` are upper bounds, by default those for durations in seconds. */
  histogram<const L extends LabelSets>(
    definition: MetricDefinition<L> & { readonly buckets?: readonly number[] },
  ): Bind<L, BoundHistogram>;
  /** A value read when Prometheus asks. `read` must be quick and must not throw. */
  gauge(definition: { readonly name: string; readonly help: string }, read: () => number): void;
  /** The text exposition of everything. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Ends the sampling timers. */
  stop(): void;
}

const PREFIX = 'sallyport_';
const LAG_SAMPLE_MS = 100;

/** A registry of its own, with the process metrics of prom-client and the event-loop lag histogram. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics: Metrics = {
    counter: ({ name, help, labels }) => {
      const counter = new Counter({
        name: PREFIX + name,
        help,
        labelNames: Object.keys(labels),
        registers: [registry],
      });
      return binder(labels, (values) => {
        const child = counter.labels(values);
        return { add: (amount = 1) => child.inc(amount) };
      });
    },
    histogram: ({ name, help, labels, buckets = DURATION_BUCKETS }) =>
      binder(labels, registerHistogram(registry, { name: PREFIX + name, help, buckets })),
    gauge: ({ name, help }, read) => {
      const gauge: Gauge = new Gauge({
        name: PREFIX + name,
        help,
        registers: [registry],
        collect: () => gauge.set(read()),
      });
    },
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    stop: () => {
      clearInterval(lagTimer);
      registry.clear();
    },
  };
  const lagTimer = sampleLag(metrics);
  return metrics;
}

/** How late a 100 ms timer fires, as a real histogram: unlike the quantile gauges of prom-client it adds up over replicas. */
function sampleLag(metrics: Metrics): NodeJS.Timeout {
  const lag = metrics.histogram({
    name: 'event_loop_lag_seconds',
    help: 'How late timers fire: time that the event loop was busy.',
    labels: {},
  })({});
  let due = performance.now() + LAG_SAMPLE_MS;
  return setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - due) / 1000);
    due = now + LAG_SAMPLE_MS;
  }, LAG_SAMPLE_MS).unref();
}

function binder<L extends LabelSets, Bound>(
  labels: L,
  create: (values: Record<string, string>) => Bound,
): Bind<L, Bound> {
  const allowed = Object.entries(labels).map(([name, values]) => [name, new Set(values)] as const);
  const children = new Map<string, Bound>();
  return (values) => {
    const given: Readonly<Record<string, string | undefined>> = values;
    const bounded = allowed.map(([name, set]) => {
      const value = given[name] ?? 'other';
      return [name, set.has(value) ? value : 'other'] as const;
    });
    const key = bounded.map(([, value]) => value).join('\u0000');
    const known = children.get(key);
    if (known !== undefined) return known;
    const child = create(Object.fromEntries(bounded));
    children.set(key, child);
    return child;
  };
}
