import assert from 'node:assert/strict';
import type { DefineCase } from './store-case.ts';
import { draft, idsOf, inserted, replaced, TENANT } from './thing.ts';

/** From `expiresAt` on a document is absent, swept or not. */
export function expiryCases(define: DefineCase): void {
  absenceCases(define);
  sweepCases(define);
}

function absenceCases(define: DefineCase): void {
  define('an expired document is absent to every read and every write', async ({ things, clock }) => {
    const expiresAt = clock.now() + 1000;
    const document = await inserted(things, draft('a', { keys: ['a', 'k'], owner: 'o', expiresAt }));
    clock.advance(999);
    assert.deepEqual(await things.get(TENANT, 'a'), document);
    clock.advance(1);
    assert.equal(await things.get(TENANT, 'a'), undefined);
    assert.equal(await things.find(TENANT, 'k'), undefined);
    assert.deepEqual(await things.list(TENANT, { limit: 10 }), []);
    assert.deepEqual(await things.list(TENANT, { owner: 'o', limit: 10 }), []);
    assert.deepEqual(await things.replace(draft('a'), document.version), { kind: 'lost' });
    assert.equal(await things.remove(TENANT, 'a'), false);
    assert.equal(await things.get(TENANT, 'a'), undefined, 'nothing revived it');
  });

  define('an expired document blocks no insert of its id or of any of its keys', async ({ things, clock }) => {
    const expiresAt = clock.now() + 1000;
    await inserted(things, draft('a', { keys: ['a', 'k', 'm'], expiresAt }));
    clock.advance(1000);
    const second = await inserted(things, draft('b', { keys: ['b', 'k'] }));
    assert.deepEqual(await things.find(TENANT, 'k'), second);
    const third = await inserted(things, draft('a'));
    assert.deepEqual(await things.get(TENANT, 'a'), third);
    await inserted(things, draft('c', { keys: ['c', 'm'] }));
    assert.deepEqual(idsOf(await things.list(TENANT, { limit: 10 })), ['a', 'b', 'c']);
  });

  define('one insert takes the keys of several expired documents', async ({ things, clock }) => {
    const expiresAt = clock.now() + 1000;
    for (const id of ['a', 'b', 'c']) await inserted(things, draft(id, { keys: [id, `k-${id}`], expiresAt }));
    clock.advance(1000);
    const document = await inserted(things, draft('a', { keys: ['k-c', 'k-b', 'k-a', 'a'] }));
    for (const key of document.keys) assert.deepEqual(await things.find(TENANT, key), document);
  });

  define('an expired document blocks no replace that wants its key', async ({ things, clock }) => {
    await inserted(things, draft('a', { keys: ['a', 'k'], expiresAt: clock.now() + 1000 }));
    const other = await inserted(things, draft('b'));
    clock.advance(1000);
    const next = await replaced(things, draft('b', { keys: ['b', 'k'] }), other.version);
    assert.deepEqual(await things.find(TENANT, 'k'), next);
  });

  define('a replace moves or lifts the expiry', async ({ things, clock }) => {
    const start = clock.now();
    const first = await inserted(things, draft('a', { expiresAt: start + 1000 }));
    const second = await replaced(things, draft('a', { expiresAt: start + 2000 }), first.version);
    clock.advance(1500);
    assert.deepEqual(await things.get(TENANT, 'a'), second);
    await replaced(things, draft('a'), second.version);
    clock.advance(100_000);
    assert.notEqual(await things.get(TENANT, 'a'), undefined);
  });
}

function sweepCases(define: DefineCase): void {
  define('sweep removes what expired longer ago than the grace, and counts it', async ({ things, clock, store }) => {
    const start = clock.now();
    await inserted(things, draft('old', { expiresAt: start + 1000 }));
    await inserted(things, draft('young', { expiresAt: start + 9000 }));
    await inserted(things, draft('eternal'));
    await inserted(store.collection('sessions'), draft('other', { expiresAt: start + 1000 }));
    clock.advance(10_000);
    assert.equal(await store.sweep(5000), 2);
    assert.equal(await store.sweep(0), 1);
    assert.equal(await store.sweep(0), 0);
    assert.notEqual(await things.get(TENANT, 'eternal'), undefined);
  });

  define('sweep leaves no key behind', async ({ things, clock, store }) => {
    await inserted(things, draft('a', { keys: ['a', 'k'], expiresAt: clock.now() + 1000 }));
    clock.advance(2000);
    await store.sweep(0);
    await inserted(things, draft('b', { keys: ['b', 'k'] }));
    await inserted(things, draft('a'));
  });

  define('an expired document with effects pending stays until it is removed by version', async (subject) => {
    const { things, clock, store } = subject;
    const outbox = [{ id: 'e', kind: 'k' }];
    const document = await inserted(things, draft('a', { expiresAt: clock.now() + 1000, outbox }));
    clock.advance(60_000);
    assert.equal(await store.sweep(0), 0);
    assert.deepEqual(await things.pending(clock.now(), 10), [document]);
    assert.equal(await things.remove(TENANT, 'a', 'another version'), false);
    assert.equal(await things.remove(TENANT, 'a', document.version), true);
    assert.deepEqual(await things.pending(clock.now(), 10), []);
  });
}
