import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Readiness, startOpsPort } from '../../src/http/ops-port.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { createMetrics } from '../../src/platform/metrics.ts';

async function startOps(t: { after(end: () => Promise<void>): void }, readiness: () => Readiness): Promise<string> {
  const metrics = createMetrics();
  const place = { host: '127.0.0.1', port: 0, setting: 'SALLYPORT_OPS_ADDRESS' };
  const port = await startOpsPort({ metrics, readiness, logger: silentLogger() }, place);
  t.after(async () => {
    metrics.stop();
    await port.close(AbortSignal.abort());
  });
  return `http://127.0.0.1:${port.port}`;
}

test('a process that is not ready is alive all the same, and says why', async (t) => {
  let state: Readiness = { ready: false, reasons: ['the store does not answer'] };
  const ops = await startOps(t, () => state);
  const live = await fetch(`${ops}/livez`);
  assert.equal(live.status, 200);
  const waiting = await fetch(`${ops}/readyz`);
  assert.equal(waiting.status, 503);
  assert.deepEqual(await waiting.json(), state);
  state = { ready: true, reasons: [] };
  assert.equal((await fetch(`${ops}/readyz`)).status, 200);
});

test('metrics are served in the text format, and nothing else is served', async (t) => {
  const ops = await startOps(t, () => ({ ready: true, reasons: [] }));
  const metrics = await fetch(`${ops}/metrics`);
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain/);
  assert.match(await metrics.text(), /^process_cpu_seconds_total|^sallyport_/m);
  assert.equal((await fetch(`${ops}/debug`)).status, 404);
  assert.equal((await fetch(`${ops}/metrics`, { method: 'POST' })).status, 405);
});
