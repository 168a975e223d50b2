import assert from 'node:assert/strict';
import { EMPTY_HEAD, nextEntry } from '../../../src/domain/change-log.ts';
import type { Json } from '../../../src/domain/storage.ts';
import type { DefineCase } from './store-case.ts';
import { draft, inserted, replaced, TENANT, walk } from './thing.ts';

/** Values that break naive adapters. */
export function valueCases(define: DefineCase): void {
  keptCases(define);
  refusedCases(define);
  nameCases(define);
}

function keptCases(define: DefineCase): void {
  define('member names with dots, dollars and prototypes come back as they went in', async ({ things }) => {
    const value: Json = JSON.parse(
      '{"a.b":{"$set":1,"$":2,".":3},"$where":"x","__proto__":{"admin":true},"constructor":null,"":{"":[]},' +
        '"toString":1,"_id":"x","10":1,"9":2,"\\u0000":"nul","hasOwnProperty":false,"\u{1f600}":"smile","toJSON":"text"}',
    );
    const document = await inserted(things, draft('a', { value }));
    assert.deepEqual(document.value, value);
    const read = await things.get(TENANT, 'a');
    assert.deepEqual(read?.value, value);
    assert.ok(Object.hasOwn(Object(read?.value), '__proto__'));
    assert.equal(Object.getPrototypeOf(read?.value), Object.prototype);
    assert.deepEqual(Object.keys(Object(read?.value)), Object.keys(Object(value)), 'in the order of insertion');
  });

  define('a member of the document itself may be named __proto__', async ({ things }) => {
    const wanted = { ...JSON.parse('{"__proto__":{"tenant":"globex"},"a.b":1,"$inc":2}'), ...draft('a') };
    await inserted(things, wanted);
    const read = await things.get(TENANT, 'a');
    assert.deepEqual(JSON.parse(JSON.stringify(read)), { ...wanted, version: read?.version });
  });

  define('numbers come back bit by bit', async ({ things }) => {
    const value = [0, 1, -1, 0.1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 2 ** 63, 1e308, 5e-324, 1.5];
    await inserted(things, draft('a', { value }));
    assert.deepEqual((await things.get(TENANT, 'a'))?.value, value);
  });

  define('strings come back unit by unit', async ({ things }) => {
    const value = [
      '',
      ' ',
      '\u0000',
      'a\u0000b',
      '\ufeffbom',
      '\ufffd',
      '\uffff',
      '\u2028',
      'e\u0301',
      'é',
      '\u{10ffff}',
      '"\\/',
      '\r\n',
    ];
    await inserted(things, draft('a', { value }));
    assert.deepEqual((await things.get(TENANT, 'a'))?.value, value);
  });

  define('undefined members are dropped, empty ones are kept', async ({ things }) => {
    const value = { gone: undefined, empty: {}, list: [], text: '', nothing: null, no: false, zero: 0 };
    const document = await inserted(things, { ...draft('a', { value, outbox: [] }), ...{ owner: undefined } });
    assert.deepEqual(document.value, { empty: {}, list: [], text: '', nothing: null, no: false, zero: 0 });
    assert.equal(Object.hasOwn(document, 'owner'), false);
    assert.deepEqual(document.outbox, []);
    assert.deepEqual(await things.get(TENANT, 'a'), document);
  });

  define('a stored document is a copy: changing the draft or what was read changes nothing', async ({ things }) => {
    const list = [1];
    const document = await inserted(things, draft('a', { value: list }));
    list.push(2);
    assert.ok(Array.isArray(document.value));
    document.value.push(3);
    assert.deepEqual((await things.get(TENANT, 'a'))?.value, [1]);
  });

  define('a body of 2 MB is kept, one past the limit is refused by name', async ({ things, store: { changeLog } }) => {
    const value = 'é'.repeat(1024 * 1024);
    const first = await inserted(things, draft('a', { value }));
    assert.equal((await things.get(TENANT, 'a'))?.value, value);
    await replaced(things, draft('a', { value: `${value}!` }), first.version);
    assert.equal((await things.list(TENANT, { limit: 1 }))[0]?.value, `${value}!`);
    assert.equal(await changeLog.append(nextEntry(EMPTY_HEAD, 's', value, 1, 'w')), true);
    assert.equal((await changeLog.read('s', 0, 1))[0]?.body, value);
    const tooLong = { name: 'UnsafeJsonError', message: /^users has 9\d{6} bytes; at most 8388608 are stored$/ };
    await assert.rejects(things.insert(draft('b', { value: 'x'.repeat(9_000_000) })), tooLong);
  });
}

function refusedCases(define: DefineCase): void {
  const bad: readonly (readonly [unknown, string])[] = [
    [{ 'a.b': ['ok', '\ud800'] }, 'users.value["a.b"][1] holds a lone surrogate'],
    [{ list: [{ 'x\udc00': 1 }] }, 'users.value.list[0] has a member name with a lone surrogate: "x\\udc00"'],
    [{ n: Number.NaN }, 'users.value.n is not a finite number'],
    [{ n: Number.POSITIVE_INFINITY }, 'users.value.n is not a finite number'],
    [[-0], 'users.value[0] is negative zero, which JSON text does not keep'],
    [[1, undefined], 'users.value[1] is of type undefined, which JSON does not have'],
    [[1n], 'users.value[0] is of type bigint, which JSON does not have'],
    [{ when: new Date(0) }, 'users.value.when is not a plain object'],
    [new Map([[1, 2]]), 'users.value is not a plain object'],
    [{ f: () => 1 }, 'users.value.f is of type function, which JSON does not have'],
  ];

  define('what JSON text does not keep is refused with its place, and nothing is written', async ({ things }) => {
    const first = await inserted(things, draft('old'));
    for (const [value, message] of bad) {
      const wanted = { ...draft('a'), ...{ value: value as Json } };
      await assert.rejects(things.insert(wanted), { name: 'UnsafeJsonError', message });
      await assert.rejects(things.replace({ ...wanted, id: 'old', keys: ['old'] }, first.version), { message });
    }
    assert.equal(await things.get(TENANT, 'a'), undefined);
    assert.deepEqual(await things.get(TENANT, 'old'), first);
  });

  define('a cycle is refused, not followed for ever', async ({ things }) => {
    const loop: Record<string, Json> = {};
    loop['self'] = loop;
    await assert.rejects(things.insert(draft('a', { value: loop })), {
      name: 'UnsafeJsonError',
      message: /nested deeper/,
    });
  });

  define('log bodies and audit details are guarded as well', async ({ store }) => {
    const entry = { ...nextEntry(EMPTY_HEAD, 's', 1, 1, 'w'), body: { bad: '\ud800' } };
    await assert.rejects(store.changeLog.append(entry), { message: 'log s.bad holds a lone surrogate' });
    assert.deepEqual(await store.changeLog.bounds('s'), { oldest: 0, newest: 0 });
    const good = { tenant: TENANT, id: 'g', at: 1, type: 't', outcome: 'success', details: {} } as const;
    const bad = { ...good, id: 'b', details: { n: Number.NaN } };
    await assert.rejects(store.auditTrail.append([good, bad]), { message: 'audit.details.n is not a finite number' });
    assert.deepEqual(await store.auditTrail.list({ tenant: TENANT }, undefined, 10), [], 'not even the good one');
  });
}

function nameCases(define: DefineCase): void {
  define('ids and keys may hold slashes, percents, dots, NUL and what others use as separators', async ({ things }) => {
    const ids = [
      'a/b',
      'a%2Fb',
      'a',
      'b',
      '/',
      '%',
      '..',
      '$id',
      'a\u0000',
      'a\u0000b',
      '\n',
      '*',
      "'; --",
      '\u{1f600}',
      '__proto__',
    ];
    for (const id of ids) await inserted(things, draft(id, { keys: [id, `k:${id}`], value: id }));
    for (const id of ids) {
      assert.equal((await things.get(TENANT, id))?.value, id);
      assert.equal((await things.find(TENANT, `k:${id}`))?.id, id);
    }
    assert.deepEqual((await walk(things, 3)).toSorted(), ids.toSorted());
    for (const id of ids) assert.equal(await things.remove(TENANT, id), true);
  });

  define('tenant and id do not run together', async ({ things }) => {
    const pairs = [
      ['a/b', 'c'],
      ['a', 'b/c'],
      ['a%2Fb', 'c'],
      ['a\u0000b', 'c'],
      ['a', 'b\u0000c'],
    ] as const;
    for (const [tenant, id] of pairs) await inserted(things, draft(id, { tenant, value: `${tenant}|${id}` }));
    for (const [tenant, id] of pairs) assert.equal((await things.get(tenant, id))?.value, `${tenant}|${id}`);
  });

  define('a lone surrogate finds nothing, least of all the replacement character', async ({ things }) => {
    await inserted(things, draft('\ufffd', { keys: ['\ufffd', 'k\ufffd'] }));
    const nothing = [things.get(TENANT, '\ud800'), things.find(TENANT, 'k\ud800'), things.get('\ud800', 'a')];
    for (const result of await Promise.allSettled(nothing)) {
      if (result.status === 'fulfilled') assert.equal(result.value, undefined);
    }
  });

  define('keys at the limits are kept, beyond them refused', async ({ things }) => {
    const longest = 'é'.repeat(512);
    const keys = ['a', longest, ...Array.from({ length: 30 }, (_, index) => `k-${index}`)];
    const document = await inserted(things, draft('a', { keys }));
    assert.deepEqual(await things.find(TENANT, longest), document);
    const refused = [
      draft('b', { keys: [] }),
      draft('b', { keys: ['not the id'] }),
      draft('b', { keys: ['b', ''] }),
      draft('b', { keys: ['b', `${longest}x`] }),
      draft('b', { keys: ['b', ...Array.from({ length: 32 }, (_, index) => `m-${index}`)] }),
      draft('b', { keys: ['b', '\udfff'] }),
      draft(''),
      draft('b', { tenant: '' }),
      draft('b', { owner: '' }),
      draft('b', { expiresAt: 2 ** 53 }),
      draft('b', { expiresAt: -1 }),
      draft('b', { expiresAt: 0.5 }),
    ];
    for (const wanted of refused) await assert.rejects(things.insert(wanted), { name: 'UnsafeJsonError' });
    assert.equal(await things.get(TENANT, 'b'), undefined);
  });
}
