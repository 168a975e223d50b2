import assert from 'node:assert/strict';
import type { DefineCase } from './store-case.ts';
import { atOnce, TENANT } from './thing.ts';

/** Atomic counters with expiry. */
export function counterCases(define: DefineCase): void {
  sumCases(define);
  readCases(define);
  expiryCases(define);
}

function sumCases(define: DefineCase): void {
  define('a counter adds up, from 0 when absent, apart per tenant and id', async ({ store: { counters }, clock }) => {
    const end = clock.now() + 60_000;
    assert.equal(await counters.add(TENANT, 'c', 2, end), 2);
    assert.equal(await counters.add(TENANT, 'c', 3, end), 5);
    assert.equal(await counters.add(TENANT, 'c', 0, end), 5, 'adding 0 reads');
    assert.equal(await counters.add(TENANT, 'd', 0, end), 0);
    assert.equal(await counters.add('globex', 'c', 1, end), 1);
    assert.equal(await counters.add(TENANT, 'a/c', 7, end), 7);
    assert.equal(await counters.add(`${TENANT}/a`, 'c', 1, end), 1, 'tenant and id do not run together');
  });

  define('64 adds at once lose nothing, and every total is different', async ({ store, clock, another }) => {
    const other = await another?.();
    try {
      const handles = [store, other ?? store];
      const end = clock.now() + 60_000;
      const totals = await atOnce(64, (index) => (handles[index % 2] ?? store).counters.add(TENANT, 'c', 1, end));
      assert.deepEqual(
        totals.toSorted((left, right) => left - right),
        Array.from({ length: 64 }, (_, index) => index + 1),
      );
    } finally {
      await other?.close();
    }
  });

  define('a counter never goes below 0', async ({ store: { counters }, clock }) => {
    const end = clock.now() + 60_000;
    assert.equal(await counters.add(TENANT, 'c', -5, end), 0);
    assert.equal(await counters.add(TENANT, 'c', 2, end), 2);
    assert.equal(await counters.add(TENANT, 'c', -3, end), 0);
    assert.equal(await counters.add(TENANT, 'c', 1, end), 1, 'the surplus is not remembered');
    await counters.add(TENANT, 'many', 8, end);
    const totals = await atOnce(16, () => counters.add(TENANT, 'many', -1, end));
    assert.equal(Math.min(...totals), 0);
    assert.equal(await counters.add(TENANT, 'many', 0, end), 0);
  });
}

function readCases(define: DefineCase): void {
  define(
    'a counter that is read tells what was added, 0 when absent or expired, and is left as it is',
    async (subject) => {
      const { store, clock } = subject;
      const { counters } = store;
      assert.equal(await counters.get(TENANT, 'c'), 0);
      await counters.add(TENANT, 'c', 3, clock.now() + 1000);
      await counters.add('globex', 'c', 8, clock.now() + 1000);
      const other = await subject.another?.();
      try {
        assert.deepEqual([await counters.get(TENANT, 'c'), await (other ?? store).counters.get(TENANT, 'c')], [3, 3]);
      } finally {
        await other?.close();
      }
      clock.advance(999);
      assert.equal(await counters.get(TENANT, 'c'), 3);
      clock.advance(1);
      assert.equal(await counters.get(TENANT, 'c'), 0, 'reading did not prolong it');
      assert.equal(await counters.get('globex', 'c'), 0);
      await counters.add(TENANT, 'c', 1, clock.now() + 1000);
      await counters.clear(TENANT, 'c');
      assert.equal(await counters.get(TENANT, 'c'), 0);
    },
  );
}

function expiryCases(define: DefineCase): void {
  define('an expired counter starts at 0 again', async ({ store: { counters }, clock }) => {
    assert.equal(await counters.add(TENANT, 'c', 5, clock.now() + 1000), 5);
    clock.advance(999);
    assert.equal(await counters.add(TENANT, 'c', 1, clock.now() + 1), 6);
    clock.advance(1);
    assert.equal(await counters.add(TENANT, 'c', 1, clock.now() + 1000), 1);
    clock.advance(999);
    assert.equal(await counters.add(TENANT, 'c', 1, clock.now() + 1000), 2, 'the new expiry counts from the new start');
  });

  define('64 adds at once to an expired counter all count from 0', async ({ store: { counters }, clock }) => {
    await counters.add(TENANT, 'c', 100, clock.now() + 1000);
    clock.advance(1000);
    const totals = await atOnce(64, () => counters.add(TENANT, 'c', 1, clock.now() + 1000));
    assert.equal(new Set(totals).size, 64);
    assert.equal(Math.max(...totals), 64);
  });

  define('the expiry of a living counter is raised, never lowered', async ({ store: { counters }, clock }) => {
    const start = clock.now();
    await counters.add(TENANT, 'c', 1, start + 1000);
    await counters.add(TENANT, 'c', 1, start + 5000);
    await counters.add(TENANT, 'c', 1, start + 2000);
    clock.advance(4999);
    assert.equal(await counters.add(TENANT, 'c', 1, start + 5000), 4);
    clock.advance(1);
    assert.equal(await counters.add(TENANT, 'c', 1, start + 9000), 1);
  });

  define('a cleared counter is absent; clearing it again is no error', async ({ store: { counters }, clock }) => {
    await counters.add(TENANT, 'c', 9, clock.now() + 9000);
    await counters.clear(TENANT, 'c');
    await counters.clear(TENANT, 'c');
    assert.equal(await counters.add(TENANT, 'c', 1, clock.now() + 1000), 1);
    clock.advance(1000);
    assert.equal(await counters.add(TENANT, 'c', 0, clock.now() + 1000), 0, 'the old expiry went with it');
  });

  define('what is no whole number is refused', async ({ store: { counters }, clock }) => {
    for (const delta of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      await assert.rejects(counters.add(TENANT, 'c', delta, clock.now() + 1000), { name: 'UnsafeJsonError' });
    }
    await assert.rejects(counters.add(TENANT, 'c', 1, Number.POSITIVE_INFINITY), { name: 'UnsafeJsonError' });
    assert.equal(await counters.add(TENANT, 'c', 0, clock.now() + 1000), 0);
  });
}
