import assert from 'node:assert/strict';
import { EMPTY_HEAD, nextEntry } from '../../../src/domain/change-log.ts';
import type { DefineCase } from './store-case.ts';
import { draft, inserted, TENANT } from './thing.ts';

/** A write that succeeded although its answer was lost: the adapter reads back and tells the truth. */
export function ambiguityCases(define: DefineCase): void {
  const lossy: DefineCase = (name, body) => define(name, body, 'loseNextAnswer');

  lossy('an insert whose answer was lost is found to have succeeded', async ({ things, loseNextAnswer }) => {
    loseNextAnswer?.();
    const result = await things.insert(draft('a', { keys: ['a', 'k'], value: 1 }));
    assert.deepEqual(result, { kind: 'inserted', document: await things.get(TENANT, 'a') });
    assert.equal((await things.find(TENANT, 'k'))?.value, 1);
    assert.deepEqual(await things.insert(draft('a')), { kind: 'exists', key: 'a' });
  });

  lossy('a replace whose answer was lost is found to have succeeded', async ({ things, loseNextAnswer }) => {
    const first = await inserted(things, draft('a', { value: 1 }));
    loseNextAnswer?.();
    const result = await things.replace(draft('a', { value: 2 }), first.version);
    assert.deepEqual(result, { kind: 'replaced', document: await things.get(TENANT, 'a') });
    assert.deepEqual(await things.replace(draft('a', { value: 3 }), first.version), { kind: 'lost' });
    assert.equal((await things.get(TENANT, 'a'))?.value, 2);
  });

  lossy('a removal whose answer was lost is found to have succeeded', async ({ things, loseNextAnswer }) => {
    const first = await inserted(things, draft('a'));
    loseNextAnswer?.();
    assert.equal(await things.remove(TENANT, 'a', first.version), true);
    await inserted(things, draft('b'));
    loseNextAnswer?.();
    assert.equal(await things.remove(TENANT, 'b'), true);
    assert.equal(await things.get(TENANT, 'b'), undefined);
  });

  lossy('an append whose answer was lost is found to have succeeded, once', async ({ store, loseNextAnswer }) => {
    const first = nextEntry(EMPTY_HEAD, 's', 1, 1, 'w1');
    loseNextAnswer?.();
    assert.equal(await store.changeLog.append(first), true);
    assert.equal(await store.changeLog.append(nextEntry(first, 's', 2, 2, 'w2')), true);
    assert.deepEqual(
      (await store.changeLog.read('s', 0, 10)).map((entry) => entry.writer),
      ['w1', 'w2'],
    );
  });

  lossy('a refused write whose answer was lost is not taken for a success', async ({ things, loseNextAnswer }) => {
    const first = await inserted(things, draft('a', { value: 1 }));
    loseNextAnswer?.();
    const insert = await things.insert(draft('a', { value: 2 })).catch((error) => error.code);
    assert.ok(insert === 'UNAVAILABLE' || insert.kind === 'exists', JSON.stringify(insert));
    loseNextAnswer?.();
    const replace = await things.replace(draft('a', { value: 2 }), 'old version').catch((error) => error.code);
    assert.ok(replace === 'UNAVAILABLE' || replace.kind === 'lost', JSON.stringify(replace));
    loseNextAnswer?.();
    const removal = await things.remove(TENANT, 'a', 'old version').catch((error) => error.code);
    assert.ok(removal === 'UNAVAILABLE' || removal === false, JSON.stringify(removal));
    assert.deepEqual(await things.get(TENANT, 'a'), first);
  });

  lossy('the store serves on after a lost answer', async ({ things, store, loseNextAnswer, clock }) => {
    loseNextAnswer?.();
    await store.counters.add(TENANT, 'c', 1, clock.now() + 1000).catch((error) => {
      assert.equal(error.code, 'UNAVAILABLE', 'a counter cannot tell; it says so');
    });
    await inserted(things, draft('a'));
    await store.ping();
  });
}
