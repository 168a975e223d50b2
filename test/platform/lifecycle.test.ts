import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createLifecycle } from '../../src/platform/lifecycle.ts';
import { silentLogger } from '../../src/platform/logger.ts';

const logger = silentLogger();

test('parts close in reverse order of their start, once', async () => {
  const lifecycle = createLifecycle({ logger });
  const order: string[] = [];
  await lifecycle.start(
    'store',
    () => 'store',
    (part) => void order.push(part),
  );
  await lifecycle.start(
    'port',
    () => 'port',
    (part) => void order.push(part),
  );
  assert.equal(lifecycle.stopping.aborted, false);
  const first = lifecycle.stop();
  assert.equal(lifecycle.stopping.aborted, true);
  assert.equal(lifecycle.stop(), first);
  assert.deepEqual(await first, { late: [], failed: [] });
  assert.deepEqual(order, ['port', 'store']);
});

test('a part that fails to open is not closed, and those before it still are', async () => {
  const lifecycle = createLifecycle({ logger });
  const closed: string[] = [];
  await lifecycle.start(
    'store',
    () => 1,
    () => void closed.push('store'),
  );
  const failing = lifecycle.start(
    'port',
    () => Promise.reject(new Error('in use')),
    () => void closed.push('port'),
  );
  await assert.rejects(failing, /in use/);
  await lifecycle.stop();
  assert.deepEqual(closed, ['store']);
});

test('a part that hangs or throws is reported and does not keep the others from closing', async () => {
  const lifecycle = createLifecycle({ logger, shutdownMs: 50 });
  const closed: string[] = [];
  let told = false;
  lifecycle.onStop('store', () => void closed.push('store'));
  lifecycle.onStop('broken', () => {
    throw new Error('no');
  });
  lifecycle.onStop('stuck', async (signal) => {
    await once(signal, 'abort');
    told = true;
    await new Promise<never>(() => {});
  });
  assert.deepEqual(await lifecycle.stop(), { late: ['stuck'], failed: ['broken'] });
  assert.deepEqual(closed, ['store']);
  assert.equal(told, true);
});

test('a part that was still opening when the stop began is closed again', async () => {
  const lifecycle = createLifecycle({ logger });
  const opening = Promise.withResolvers<string>();
  let closed = 0;
  const started = lifecycle.start(
    'slow',
    () => opening.promise,
    () => void closed++,
  );
  await lifecycle.stop();
  opening.resolve('open');
  await assert.rejects(started, /stopping/);
  assert.equal(closed, 1);
  await assert.rejects(
    lifecycle.start(
      'next',
      () => 1,
      () => {},
    ),
    /stopping/,
  );
});
