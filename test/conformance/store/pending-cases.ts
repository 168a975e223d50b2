import assert from 'node:assert/strict';
import type { DefineCase } from './store-case.ts';
import { draft, idsOf, inserted, replaced, TENANT } from './thing.ts';

const outbox = [{ id: 'e1', kind: 'audit', nested: { list: [1, 2] } }];

/** Documents with effects still to be performed. */
export function pendingCases(define: DefineCase): void {
  define('pending lists documents of any tenant with a non-empty outbox, oldest first', async ({ things, clock }) => {
    await inserted(things, draft('second', { outbox: [] }));
    const first = await inserted(things, draft('z-first', { outbox }));
    clock.advance(10);
    const second = await inserted(things, draft('a-later', { tenant: 'globex', outbox }));
    clock.advance(10);
    await inserted(things, draft('young', { outbox }));
    assert.deepEqual(await things.pending(clock.now(), 10), [first, second], 'strictly older');
    assert.deepEqual(await things.pending(clock.now() - 10, 10), [first]);
    assert.deepEqual(idsOf(await things.pending(clock.now() + 1, 2)), ['z-first', 'a-later']);
  });

  define('the age is that of the last write', async ({ things, clock }) => {
    const first = await inserted(things, draft('a', { outbox }));
    clock.advance(1000);
    const second = await replaced(things, draft('a', { outbox, value: 1 }), first.version);
    assert.deepEqual(await things.pending(clock.now(), 10), []);
    clock.advance(1);
    assert.deepEqual(await things.pending(clock.now(), 10), [second]);
  });

  define('clearing the outbox ends it, whether by an empty list or by leaving it out', async ({ things, clock }) => {
    const first = await inserted(things, draft('a', { outbox }));
    const second = await inserted(things, draft('b', { outbox }));
    clock.advance(1000);
    await replaced(things, draft('a', { outbox: [] }), first.version);
    await replaced(things, draft('b'), second.version);
    clock.advance(1000);
    assert.deepEqual(await things.pending(clock.now(), 10), []);
  });

  define('a replace can record effects where there were none', async ({ things, clock }) => {
    const first = await inserted(things, draft('a'));
    const second = await replaced(things, draft('a', { outbox }), first.version);
    clock.advance(1);
    assert.deepEqual(await things.pending(clock.now(), 10), [second]);
    await things.remove(TENANT, 'a');
    assert.deepEqual(await things.pending(clock.now(), 10), []);
  });

  define('touching a document does not make it younger', async ({ things, clock }) => {
    await inserted(things, draft('a', { outbox }));
    clock.advance(1000);
    await things.touch([{ tenant: TENANT, id: 'a', at: clock.now() }]);
    assert.equal((await things.pending(clock.now() - 500, 10))[0]?.touchedAt, clock.now());
  });
}
