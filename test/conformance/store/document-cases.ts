import assert from 'node:assert/strict';
import type { DefineCase } from './store-case.ts';
import { atOnce, draft, inserted, replaced, TENANT } from './thing.ts';

/** insert, get, replace, remove of single documents. */
export function documentCases(define: DefineCase): void {
  writeCases(define);
  raceCases(define);
  boundaryCases(define);
}

function writeCases(define: DefineCase): void {
  define('an inserted document is read back as it was written, with a version', async ({ things }) => {
    const wanted = draft('a', {
      value: { deep: [1, 'two', null, true] },
      owner: 'o',
      outbox: [{ id: 'e', kind: 'k' }],
    });
    const document = await inserted(things, wanted);
    assert.deepEqual(document, { ...wanted, version: document.version });
    assert.ok(document.version.length >= 16);
    assert.deepEqual(await things.get(TENANT, 'a'), document);
  });

  define('what is absent is undefined, lost or false, never an error', async ({ things }) => {
    assert.equal(await things.get(TENANT, 'nobody'), undefined);
    assert.equal(await things.find(TENANT, 'nobody'), undefined);
    assert.deepEqual(await things.replace(draft('nobody'), 'v'), { kind: 'lost' });
    assert.equal(await things.get(TENANT, 'nobody'), undefined, 'replace never creates');
    assert.equal(await things.remove(TENANT, 'nobody'), false);
    assert.equal(await things.remove(TENANT, 'nobody', 'v'), false);
  });

  define('every write makes a fresh version', async ({ things }) => {
    const first = await inserted(things, draft('a'));
    const second = await replaced(things, draft('a'), first.version);
    const third = await replaced(things, draft('a'), second.version);
    assert.equal(new Set([first.version, second.version, third.version]).size, 3);
    assert.equal((await things.get(TENANT, 'a'))?.version, third.version);
  });

  define('a replace from an old version is lost and changes nothing', async ({ things }) => {
    const first = await inserted(things, draft('a', { value: 1 }));
    const second = await replaced(things, draft('a', { value: 2 }), first.version);
    assert.deepEqual(await things.replace(draft('a', { value: 3 }), first.version), { kind: 'lost' });
    assert.deepEqual(await things.get(TENANT, 'a'), second);
  });

  define('a replace writes the whole body: members left out are gone', async ({ things }) => {
    const first = await inserted(things, draft('a', { value: 1, owner: 'o', outbox: [{ id: 'e', kind: 'k' }] }));
    await replaced(things, draft('a'), first.version);
    const now = await things.get(TENANT, 'a');
    assert.deepEqual(Object.keys(now ?? {}).sort(), ['id', 'keys', 'schema', 'tenant', 'version']);
    assert.deepEqual(await things.list(TENANT, { owner: 'o', limit: 10 }), []);
  });

  define('remove takes the named version only', async ({ things }) => {
    const first = await inserted(things, draft('a'));
    const second = await replaced(things, draft('a'), first.version);
    assert.equal(await things.remove(TENANT, 'a', first.version), false);
    assert.deepEqual(await things.get(TENANT, 'a'), second);
    assert.equal(await things.remove(TENANT, 'a', second.version), true);
    assert.equal(await things.get(TENANT, 'a'), undefined);
    assert.equal(await things.remove(TENANT, 'a'), false);
  });
}

function raceCases(define: DefineCase): void {
  define('of 64 swaps from one version exactly one wins', async ({ things, another, store }) => {
    const other = await another?.();
    try {
      const first = await inserted(things, draft('a'));
      const handles = [things, (other ?? store).collection<typeof first>('users')];
      const results = await atOnce(64, (index) =>
        (handles[index % 2] ?? things).replace(draft('a', { value: index }), first.version),
      );
      const winners = results.filter((result) => result.kind === 'replaced');
      assert.equal(winners.length, 1);
      assert.deepEqual(winners[0], { kind: 'replaced', document: await things.get(TENANT, 'a') });
      assert.equal(results.filter((result) => result.kind === 'lost').length, 63);
    } finally {
      await other?.close();
    }
  });

  define('of 64 removals of one document exactly one is true', async ({ things }) => {
    await inserted(things, draft('a'));
    const results = await atOnce(64, () => things.remove(TENANT, 'a'));
    assert.equal(results.filter(Boolean).length, 1);
  });

  define('a retried swap loop of 16 writers loses no increment', async ({ things }) => {
    await inserted(things, draft('a', { value: 0 }));
    await atOnce(16, async () => {
      for (;;) {
        const current = await things.get(TENANT, 'a');
        const value = Number(current?.value) + 1;
        const result = await things.replace(draft('a', { value }), current?.version ?? '');
        if (result.kind === 'replaced') return;
      }
    });
    assert.equal((await things.get(TENANT, 'a'))?.value, 16);
  });
}

function boundaryCases(define: DefineCase): void {
  define('collections and tenants do not see each other', async ({ things, store }) => {
    await inserted(things, draft('a', { value: 'user' }));
    await inserted(things, draft('a', { value: 'other tenant', tenant: 'globex' }));
    await inserted(store.collection('sessions'), draft('a', { value: 'session' }));
    assert.equal((await things.get(TENANT, 'a'))?.value, 'user');
    assert.equal((await things.get('globex', 'a'))?.value, 'other tenant');
    assert.equal(await things.get('ACME', 'a'), undefined);
    await things.remove(TENANT, 'a');
    assert.notEqual(await store.collection('sessions').get(TENANT, 'a'), undefined);
    assert.notEqual(await things.get('globex', 'a'), undefined);
  });

  define('what was written is there after a restart', async ({ things, store, reopen }) => {
    const document = await inserted(things, draft('a', { keys: ['a', 'mail'] }));
    await store.counters.add(TENANT, 'c', 3, Number.MAX_SAFE_INTEGER);
    const again = await reopen();
    assert.deepEqual(await again.collection('users').find(TENANT, 'mail'), document);
    assert.equal(await again.counters.add(TENANT, 'c', 1, Number.MAX_SAFE_INTEGER), 4);
    await again.ping();
  });

  define('a closed store answers every call with UNAVAILABLE', async ({ things, store }) => {
    await store.close();
    const unavailable = { name: 'Fault', code: 'UNAVAILABLE' };
    await assert.rejects(things.get(TENANT, 'a'), unavailable);
    await assert.rejects(things.insert(draft('a')), unavailable);
    await assert.rejects(store.changeLog.bounds('s'), unavailable);
    await assert.rejects(store.ping(), unavailable);
    await store.close();
  });
}
