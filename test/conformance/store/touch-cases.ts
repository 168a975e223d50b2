import assert from 'node:assert/strict';
import type { DefineCase } from './store-case.ts';
import { atOnce, draft, inserted, replaced, TENANT } from './thing.ts';

/** Marks of last use, beside the body. */
export function touchCases(define: DefineCase): void {
  define('touch raises the mark, never lowers it, and leaves the version alone', async ({ things }) => {
    const document = await inserted(things, draft('a'));
    assert.equal(document.touchedAt, undefined);
    await things.touch([{ tenant: TENANT, id: 'a', at: 500 }]);
    await things.touch([
      { tenant: TENANT, id: 'a', at: 300 },
      { tenant: TENANT, id: 'a', at: 400 },
    ]);
    assert.deepEqual(await things.get(TENANT, 'a'), { ...document, touchedAt: 500 });
    await things.touch([
      { tenant: TENANT, id: 'a', at: 900 },
      { tenant: TENANT, id: 'a', at: 700 },
    ]);
    assert.equal((await things.find(TENANT, 'a'))?.touchedAt, 900);
    assert.equal((await things.list(TENANT, { limit: 5 }))[0]?.touchedAt, 900);
    assert.equal((await things.replace(draft('a'), document.version)).kind, 'replaced', 'the version still holds');
  });

  define('a replace never writes an old mark back', async ({ things }) => {
    const document = await inserted(things, draft('a'));
    await things.touch([{ tenant: TENANT, id: 'a', at: 100 }]);
    const read = await things.get(TENANT, 'a');
    await things.touch([{ tenant: TENANT, id: 'a', at: 200 }]);
    // A caller that spreads what it read carries touchedAt = 100 along; the port ignores it.
    const careless = { ...draft('a', { value: 1 }), ...{ touchedAt: read?.touchedAt } };
    const after = await replaced(things, careless, document.version);
    assert.equal(after.touchedAt, 200, 'the answer of the replace has the mark as well');
    assert.deepEqual(await things.get(TENANT, 'a'), after);
  });

  define('an insert ignores a mark that its draft carries', async ({ things }) => {
    const careless = { ...draft('a'), ...{ touchedAt: 100, version: 'mine' } };
    const document = await inserted(things, careless);
    assert.equal(document.touchedAt, undefined);
    assert.notEqual(document.version, 'mine');
    assert.equal((await things.get(TENANT, 'a'))?.touchedAt, undefined);
  });

  define('touches and replaces at once keep both', async ({ things }) => {
    await inserted(things, draft('a', { value: 0 }));
    await atOnce(32, async (index) => {
      if (index % 2 === 0) return things.touch([{ tenant: TENANT, id: 'a', at: 1000 + index }]);
      for (;;) {
        const current = await things.get(TENANT, 'a');
        const next = draft('a', { value: Number(current?.value) + 1 });
        if ((await things.replace(next, current?.version ?? '')).kind === 'replaced') return;
      }
    });
    const document = await things.get(TENANT, 'a');
    assert.equal(document?.value, 16);
    assert.equal(document?.touchedAt, 1030);
  });

  define('touch never creates, and drops the marks of absent and expired documents', async ({ things, clock }) => {
    await inserted(things, draft('short', { expiresAt: clock.now() + 1000 }));
    await inserted(things, draft('a'));
    clock.advance(1000);
    await things.touch([
      { tenant: TENANT, id: 'nobody', at: 1 },
      { tenant: TENANT, id: 'short', at: 2 },
      { tenant: 'globex', id: 'a', at: 3 },
      { tenant: TENANT, id: 'a', at: 4 },
    ]);
    await things.touch([]);
    assert.equal(await things.get(TENANT, 'nobody'), undefined);
    assert.equal((await things.get(TENANT, 'a'))?.touchedAt, 4);
    const fresh = await inserted(things, draft('short'));
    assert.equal(fresh.touchedAt, undefined);
    assert.equal(
      (await things.get(TENANT, 'short'))?.touchedAt,
      undefined,
      'nothing of the expired one shines through',
    );
  });
}
