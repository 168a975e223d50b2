import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, Registry } from 'prom-client';
import { registerHistogram } from '../../src/platform/histogram.ts';

const buckets = [0.001, 0.01, 0.1, 1];
const help = 'How long it took.';
const labelSets = [
  { method: 'Authorize', code: 'OK' },
  { method: 'Authorize', code: 'UNAVAILABLE' },
];
const observed = [0, 0.0005, 0.001, 0.0011, 0.05, 0.1, 0.9, 1, 1.0001, 1000];

test('the exposition is what prom-client itself would write', async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const bind = registerHistogram(ours, { name: 'took_seconds', help, buckets });
  const reference = new Histogram({
    name: 'took_seconds',
    help,
    buckets,
    labelNames: ['method', 'code'],
    registers: [theirs],
  });
  for (const [index, labels] of labelSets.entries()) {
    const series = bind(labels);
    for (const value of observed.slice(index)) {
      series.observe(value);
      reference.labels(labels).observe(value);
    }
  }
  assert.equal(await ours.metrics(), await theirs.metrics());
});

test('a value that is no finite number is refused and leaves the sum as it was', () => {
  const series = registerHistogram(new Registry(), { name: 'took_seconds', help, buckets })({});
  series.observe(0.5);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => series.observe(value), RangeError);
  assert.equal(series.sum, 0.5);
  assert.deepEqual([...series.counts], [0, 0, 0, 1, 0]);
});
