import assert from 'node:assert/strict';
import type { DefineCase } from './store-case.ts';
import { atOnce, draft, inserted, replaced, TENANT } from './thing.ts';

/** Unique keys: per tenant, across the collection, on insert and on replace. */
export function keyCases(define: DefineCase): void {
  insertCases(define);
  replaceCases(define);
  raceCases(define);
}

function insertCases(define: DefineCase): void {
  define('a document is found by each of its keys', async ({ things }) => {
    const document = await inserted(things, draft('a', { keys: ['a', 'mail:x', 'name:y'] }));
    for (const key of document.keys) assert.deepEqual(await things.find(TENANT, key), document);
    assert.equal(await things.find('globex', 'mail:x'), undefined);
    assert.equal(await things.get(TENANT, 'mail:x'), undefined, 'get takes ids only');
  });

  define('an insert that collides names the key and writes nothing', async ({ things }) => {
    const first = await inserted(things, draft('a', { keys: ['a', 'mail:x', 'name:y'] }));
    assert.deepEqual(await things.insert(draft('b', { keys: ['b', 'name:z', 'name:y'] })), {
      kind: 'exists',
      key: 'name:y',
    });
    assert.equal(await things.get(TENANT, 'b'), undefined);
    assert.equal(await things.find(TENANT, 'name:z'), undefined, 'the free keys of the refused draft stay free');
    assert.deepEqual(await things.insert(draft('a')), { kind: 'exists', key: 'a' });
    assert.deepEqual(await things.get(TENANT, 'a'), first);
  });

  define("an id collides with another document's key", async ({ things }) => {
    await inserted(things, draft('a', { keys: ['a', 'b'] }));
    assert.deepEqual(await things.insert(draft('b')), { kind: 'exists', key: 'b' });
    assert.deepEqual(await things.insert(draft('c', { keys: ['c', 'a'] })), { kind: 'exists', key: 'a' });
  });

  define('the same key may be held in two tenants and in two collections', async ({ things, store }) => {
    await inserted(things, draft('a', { keys: ['a', 'mail:x'] }));
    await inserted(things, draft('b', { keys: ['b', 'mail:x'], tenant: 'globex' }));
    await inserted(store.collection('sessions'), draft('c', { keys: ['c', 'mail:x'] }));
    assert.equal((await things.find('globex', 'mail:x'))?.id, 'b');
  });

  define('one document may name a key twice', async ({ things }) => {
    const document = await inserted(things, draft('a', { keys: ['a', 'k', 'k', 'a'] }));
    assert.deepEqual(await things.find(TENANT, 'k'), document);
    const next = await replaced(things, draft('a', { keys: ['a', 'm', 'm'] }), document.version);
    assert.deepEqual(await things.find(TENANT, 'm'), next);
    assert.equal(await things.find(TENANT, 'k'), undefined);
  });
}

function replaceCases(define: DefineCase): void {
  define('a replace that collides names the key and changes nothing', async ({ things }) => {
    await inserted(things, draft('a', { keys: ['a', 'mail:x'] }));
    const second = await inserted(things, draft('b', { keys: ['b', 'mail:y'] }));
    assert.deepEqual(await things.replace(draft('b', { keys: ['b', 'mail:z', 'mail:x'] }), second.version), {
      kind: 'exists',
      key: 'mail:x',
    });
    assert.deepEqual(await things.get(TENANT, 'b'), second);
    assert.deepEqual(await things.find(TENANT, 'mail:y'), second, 'it keeps its old keys');
    assert.equal(await things.find(TENANT, 'mail:z'), undefined);
  });

  define('a replace of an old version is lost even where its keys collide', async ({ things }) => {
    await inserted(things, draft('a', { keys: ['a', 'mail:x'] }));
    const second = await inserted(things, draft('b'));
    await replaced(things, draft('b'), second.version);
    assert.deepEqual(await things.replace(draft('b', { keys: ['b', 'mail:x'] }), second.version), { kind: 'lost' });
  });

  define('keys that a replace or a removal gives up are free at once', async ({ things }) => {
    const first = await inserted(things, draft('a', { keys: ['a', 'mail:x', 'name:x'] }));
    const second = await replaced(things, draft('a', { keys: ['a', 'name:x'] }), first.version);
    assert.equal(await things.find(TENANT, 'mail:x'), undefined);
    await inserted(things, draft('b', { keys: ['b', 'mail:x'] }));
    assert.deepEqual(await things.find(TENANT, 'name:x'), second);
    await things.remove(TENANT, 'a');
    await inserted(things, draft('c', { keys: ['c', 'name:x'] }));
  });
}

function raceCases(define: DefineCase): void {
  define('of 64 inserts of one key exactly one wins', async ({ things, another, store }) => {
    const other = await another?.();
    try {
      const handles = [things, (other ?? store).collection('users')];
      const results = await atOnce(64, (index) =>
        (handles[index % 2] ?? things).insert(draft(`id-${index}`, { keys: [`id-${index}`, 'mail:x'] })),
      );
      const winners = results.filter((result) => result.kind === 'inserted');
      assert.equal(winners.length, 1);
      assert.deepEqual(winners[0], { kind: 'inserted', document: await things.find(TENANT, 'mail:x') });
      for (const result of results) {
        if (result.kind === 'exists') assert.equal(result.key, 'mail:x');
      }
      assert.equal((await things.list(TENANT, { limit: 100 })).length, 1);
    } finally {
      await other?.close();
    }
  });

  define('of 64 replaces that want one key exactly one gets it', async ({ things }) => {
    const before = await atOnce(64, (index) => inserted(things, draft(`id-${index}`)));
    const results = await atOnce(64, (index) =>
      things.replace(draft(`id-${index}`, { keys: [`id-${index}`, 'mail:x'] }), before[index]?.version ?? ''),
    );
    assert.equal(results.filter((result) => result.kind === 'replaced').length, 1);
    assert.equal(results.filter((result) => result.kind === 'exists' && result.key === 'mail:x').length, 63);
  });

  define('keys that differ by case, normalization or trailing space are different', async ({ things }) => {
    const keys = ['straße', 'STRASSE', 'strasse', 'Straße', '\u00e9', 'e\u0301', 'x', 'x ', ' x', '\ufb01', 'fi', 'X'];
    for (const key of keys) await inserted(things, draft(`id of ${key}`, { keys: [`id of ${key}`, key] }));
    for (const key of keys) assert.equal((await things.find(TENANT, key))?.id, `id of ${key}`);
  });
}
