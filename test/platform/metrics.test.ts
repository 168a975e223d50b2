import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createMetrics } from '../../src/platform/metrics.ts';

test('counters and histograms appear in the exposition under the sallyport prefix', async (t) => {
  const metrics = createMetrics();
  t.after(() => metrics.stop());
  const calls = metrics.counter({
    name: 'calls_total',
    help: 'Calls.',
    labels: { method: ['Authorize'], code: ['OK'] },
  });
  calls({ method: 'Authorize', code: 'OK' }).add();
  calls({ method: 'Authorize', code: 'OK' }).add(2);
  const duration = metrics.histogram({ name: 'wait_seconds', help: 'Wait.', labels: {}, buckets: [0.1, 1] });
  duration({}).observe(0.5);
  const { body, contentType } = await metrics.render();
  assert.match(contentType, /text\/plain/);
  assert.match(body, /^sallyport_calls_total\{method="Authorize",code="OK"\} 3$/m);
  assert.match(body, /^sallyport_wait_seconds_bucket\{le="0\.1"\} 0$/m);
  assert.match(body, /^sallyport_wait_seconds_bucket\{le="1"\} 1$/m);
});

test('label values outside the definition are counted as other, so series are bounded', async (t) => {
  const metrics = createMetrics();
  t.after(() => metrics.stop());
  const calls = metrics.counter({ name: 'calls_total', help: 'Calls.', labels: { method: ['Authorize'] } });
  for (let i = 0; i < 1000; i++) calls({ method: `forged-${i}` }).add();
  const { body } = await metrics.render();
  const series = body.split('\n').filter((line) => line.startsWith('sallyport_calls_total{'));
  assert.deepEqual(series, ['sallyport_calls_total{method="other"} 1000']);
});

test('a gauge is read when asked', async (t) => {
  const metrics = createMetrics();
  t.after(() => metrics.stop());
  let depth = 1;
  metrics.gauge({ name: 'queue_depth', help: 'Depth.' }, () => depth);
  depth = 7;
  assert.match((await metrics.render()).body, /^sallyport_queue_depth 7$/m);
});

test('the event-loop lag is sampled, and a blocked loop shows', async (t) => {
  const metrics = createMetrics();
  t.after(() => metrics.stop());
  const end = performance.now() + 350;
  while (performance.now() < end);
  // The next turn of the timers phase is after the overdue sample.
  const turn = new AbortController();
  setTimeout(() => turn.abort(), 1);
  await once(turn.signal, 'abort');
  const { body } = await metrics.render();
  const seriesValue = (series: string): number =>
    Number(body.split(`sallyport_event_loop_lag_seconds_${series} `)[1]?.split('\n')[0]);
  // A busy machine may have let the time of a second sample pass meanwhile.
  assert.equal(seriesValue('count') - seriesValue('bucket{le="0.1"}') >= 1, true, body);
});
