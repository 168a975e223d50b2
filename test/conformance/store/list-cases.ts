import assert from 'node:assert/strict';
import type { DefineCase } from './store-case.ts';
import { draft, idsOf, inserted, replaced, TENANT, walk } from './thing.ts';

/** Paging in order of id by UTF-8 bytes. */
export function listCases(define: DefineCase): void {
  define('list pages through a tenant, in order of id, owner by owner if asked', async ({ things }) => {
    for (const id of ['d', 'b', 'a', 'e', 'c']) {
      await inserted(things, draft(id, { owner: id < 'c' ? 'first' : 'second' }));
    }
    for (const tenant of ['aaa', 'globex']) await inserted(things, draft('x', { tenant, owner: 'first' }));
    assert.deepEqual(idsOf(await things.list(TENANT, { limit: 2 })), ['a', 'b']);
    assert.deepEqual(idsOf(await things.list(TENANT, { limit: 2, after: 'b' })), ['c', 'd']);
    assert.deepEqual(idsOf(await things.list(TENANT, { limit: 2, after: 'd' })), ['e']);
    assert.deepEqual(await things.list(TENANT, { limit: 2, after: 'e' }), []);
    assert.deepEqual(idsOf(await things.list(TENANT, { limit: 10, after: 'bb' })), ['c', 'd', 'e'], 'need not exist');
    assert.deepEqual(await walk(things, 2, 'second'), ['c', 'd', 'e']);
    assert.deepEqual(await walk(things, 2, 'nobody'), []);
  });

  define('the order is that of the UTF-8 bytes', async ({ things }) => {
    // U+FFEE is 3 bytes from 0xEF, U+1F600 4 bytes from 0xF0; by UTF-16 units they sort the other way round.
    const ids = ['Z', 'a', 'a/b', 'a0', 'é', '\uffee', '\u{1f600}', '10', '9', 'B', '%', '_', 'a\u0000b'];
    for (const id of ids) await inserted(things, draft(id));
    const bytewise = ids.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    assert.deepEqual(await walk(things, 2), bytewise);
  });

  define(
    'a walk shows every document once, whatever is inserted, replaced and removed meanwhile',
    async ({ things }) => {
      const steady = Array.from({ length: 120 }, (_, index) => `s-${String((index * 37) % 120).padStart(3, '0')}`);
      await Promise.all(steady.map((id) => inserted(things, draft(id))));
      const seen: string[] = [];
      let noise = 0;
      for (;;) {
        // Half of the noise lands before the cursor, half after it, and while the page is read.
        const writes = [`s-000-${noise}`, `s-119-${noise}`, `s-060-${noise}`].map((id) => inserted(things, draft(id)));
        const page = things.list(TENANT, { limit: 7, after: seen.at(-1) });
        const [ids] = await Promise.all([page.then(idsOf), ...writes]);
        seen.push(...ids);
        const touched = await things.get(TENANT, steady[noise] ?? '');
        if (touched !== undefined) await replaced(things, draft(touched.id, { value: noise }), touched.version);
        await things.remove(TENANT, `s-000-${noise}`);
        noise += 1;
        if (ids.length === 0 || noise > 200) break;
      }
      assert.deepEqual(seen, seen.toSorted(), 'in order');
      assert.equal(new Set(seen).size, seen.length, 'no repeats');
      assert.deepEqual(seen.filter((id) => id.length === 5).length, 120, 'no gaps');
    },
  );

  define('an owner that a replace changes is listed at its new place only', async ({ things }) => {
    const first = await inserted(things, draft('a', { owner: 'first' }));
    await replaced(things, draft('a', { owner: 'second' }), first.version);
    assert.deepEqual(await walk(things, 5, 'first'), []);
    assert.deepEqual(await walk(things, 5, 'second'), ['a']);
  });

  define('a page of 0, of 1,001 or of half a document is refused', async ({ things }) => {
    for (const limit of [0, 1001, -1, 1.5, Number.NaN]) {
      await assert.rejects(things.list(TENANT, { limit }), { name: 'UnsafeJsonError' });
      await assert.rejects(things.pending(1, limit), { name: 'UnsafeJsonError' });
    }
  });
}
