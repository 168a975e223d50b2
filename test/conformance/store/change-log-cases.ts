import assert from 'node:assert/strict';
import { EMPTY_HEAD, follows, nextEntry } from '../../../src/domain/change-log.ts';
import type { LogEntry } from '../../../src/domain/storage.ts';
import type { DefineCase } from './store-case.ts';
import { atOnce, grow } from './thing.ts';

/** Append-only streams with dense revisions and a hash chain. */
export function changeLogCases(define: DefineCase): void {
  appendCases(define);
  chainCases(define);
  readCases(define);
  compactionCases(define);
  beginCases(define);
}

function appendCases(define: DefineCase): void {
  define('entries come back as they were appended, and each follows the one before', async ({ store }) => {
    const entries = await grow(store, 'policy/acme', 3);
    const read = await store.changeLog.read('policy/acme', 0, 10);
    assert.deepEqual(read, entries);
    let head = EMPTY_HEAD;
    for (const entry of read) {
      assert.equal(follows(head, entry), true);
      head = entry;
    }
  });

  define('of 64 appends to one revision exactly one is true', async ({ store, another }) => {
    const other = await another?.();
    try {
      const [first] = await grow(store, 's', 1);
      const logs = [store.changeLog, (other ?? store).changeLog];
      const results = await atOnce(64, (index) => {
        const entry = nextEntry(first ?? EMPTY_HEAD, 's', { index }, 1, `writer-${index}`);
        return (logs[index % 2] ?? store.changeLog).append(entry);
      });
      assert.equal(results.filter(Boolean).length, 1);
      const kept = await store.changeLog.read('s', 1, 10);
      assert.deepEqual(
        kept.map((entry) => entry.writer),
        [`writer-${results.indexOf(true)}`],
      );
    } finally {
      await other?.close();
    }
  });

  define('16 writers that race for 64 places leave a dense, chained stream', async ({ store: { changeLog } }) => {
    await atOnce(16, async (writer) => {
      for (let step = 0; step < 4; ) {
        const { newest } = await changeLog.bounds('s');
        const head = newest === 0 ? EMPTY_HEAD : (await changeLog.read('s', newest - 1, 1))[0];
        const entry = nextEntry(head ?? EMPTY_HEAD, 's', { writer, step }, 1, `${writer}-${step}`);
        if (await changeLog.append(entry)) step += 1;
      }
    });
    const entries = await changeLog.read('s', 0, 1000);
    assert.equal(entries.length, 64);
    assert.ok(entries.every((entry, index) => follows(entries[index - 1] ?? EMPTY_HEAD, entry)));
    assert.equal(new Set(entries.map((entry) => entry.writer)).size, 64);
  });

  define('a repeated append of the same writer is true and adds nothing', async ({ store: { changeLog } }) => {
    const entry = nextEntry(EMPTY_HEAD, 's', 1, 1, 'me');
    assert.equal(await changeLog.append(entry), true);
    assert.equal(await changeLog.append(entry), true);
    assert.equal(await changeLog.append(nextEntry(EMPTY_HEAD, 's', 1, 1, 'somebody else')), false);
    assert.deepEqual(await changeLog.read('s', 0, 10), [entry]);
  });

  define('an append that leaves a gap is false', async ({ store, store: { changeLog } }) => {
    const [first] = await grow(store, 's', 1);
    assert.equal(await changeLog.append(nextEntry({ revision: 1, digest: 'x' }, 'other', 1, 1, 'w')), false);
    const third = nextEntry({ revision: 2, digest: 'unknown' }, 's', 1, 1, 'w');
    assert.equal(await changeLog.append(third), false);
    const skipping = nextEntry({ revision: 2, digest: first?.digest ?? '' }, 's', 1, 1, 'w');
    assert.equal(await changeLog.append(skipping), false, 'chained to the newest entry, but one place too far');
    assert.deepEqual(await changeLog.read('s', 0, 10), [first]);
    assert.deepEqual(await changeLog.bounds('other'), { oldest: 0, newest: 0 });
  });

  define('an append onto a history that the store does not hold is false', async ({ store, store: { changeLog } }) => {
    const entries = await grow(store, 's', 2);
    // The writer followed another second entry: the server lost an unjournalled write, or a backup was restored.
    const otherSecond = nextEntry(entries[0] ?? EMPTY_HEAD, 's', 'another', 1, 'w');
    assert.equal(await changeLog.append(nextEntry(otherSecond, 's', 1, 1, 'w2')), false);
    assert.equal((await changeLog.bounds('s')).newest, 2);
  });
}

function chainCases(define: DefineCase): void {
  define('an altered entry does not follow', async ({ store }) => {
    const [first, second] = await grow(store, 's', 2);
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(follows(first, second), true);
    const altered: Partial<LogEntry>[] = [
      { body: { step: 3 } },
      { at: 99 },
      { writer: 'w' },
      { stream: 't' },
      { previous: '' },
      { revision: 3 },
      { digest: first.digest },
    ];
    for (const change of altered) assert.equal(follows(first, { ...second, ...change }), false, JSON.stringify(change));
    assert.equal(follows(EMPTY_HEAD, second), false);
  });

  define('the digest of what is read back is the same, whatever the body', async ({ store: { changeLog } }) => {
    const body = JSON.parse(
      '{"z":1,"a":{"__proto__":[2,{"10":0,"9":1}]},"":"\\u0000","x.y":1e21,"$set":5e-324,"n":-0.5}',
    );
    assert.equal(await changeLog.append(nextEntry(EMPTY_HEAD, 's', body, 1, 'w')), true);
    const [entry] = await changeLog.read('s', 0, 1);
    assert.deepEqual(entry?.body, body);
    assert.ok(entry !== undefined && follows(EMPTY_HEAD, entry));
  });
}

function readCases(define: DefineCase): void {
  define('read takes entries after a revision, at most a limit', async ({ store, store: { changeLog } }) => {
    const entries = await grow(store, 's', 5);
    await grow(store, 's/sub', 2);
    await grow(store, 't', 1);
    assert.deepEqual(await changeLog.read('s', 2, 2), entries.slice(2, 4));
    assert.deepEqual(await changeLog.read('s', 4, 100), entries.slice(4));
    assert.deepEqual(await changeLog.read('s', 5, 100), []);
    assert.deepEqual(await changeLog.read('s', 50, 100), []);
    assert.deepEqual(await changeLog.read('nothing', 0, 100), []);
    await assert.rejects(changeLog.read('s', 0, 0), { name: 'UnsafeJsonError' });
    await assert.rejects(changeLog.read('s', 0, 1001), { name: 'UnsafeJsonError' });
  });

  define('next names the streams that went on, of many', async ({ store, store: { changeLog } }) => {
    const positions = new Map<string, number>();
    for (let index = 0; index < 30; index += 1) {
      await grow(store, `policy/t-${index}`, 1 + (index % 3));
      positions.set(`policy/t-${index}`, 2);
    }
    for (let index = 0; index < 1000; index += 1) positions.set(`policy/never-${index}`, 0);
    const moved = await changeLog.next(positions);
    const expected = Array.from({ length: 10 }, (_, index) => `policy/t-${2 + 3 * index}`);
    assert.deepEqual(moved.toSorted(), expected.toSorted());
    assert.deepEqual(await changeLog.next(new Map([['policy/t-0', 0]])), ['policy/t-0']);
    assert.deepEqual(await changeLog.next(new Map()), []);
  });

  define('streams whose names resemble each other are apart', async ({ store, store: { changeLog } }) => {
    const names = ['p/1', 'p', 'p/1/2', 'p%2F1', 'P', 'p/', 'p/00000000000000000001', 'é', 'e\u0301'];
    for (const [index, name] of names.entries()) await grow(store, name, index + 1);
    for (const [index, name] of names.entries()) {
      assert.deepEqual(await changeLog.bounds(name), { oldest: 1, newest: index + 1 });
      assert.equal((await changeLog.read(name, 0, 100)).length, index + 1);
    }
  });
}

function compactionCases(define: DefineCase): void {
  define('compaction removes the oldest entries, never the newest one', async ({ store, store: { changeLog } }) => {
    const entries = await grow(store, 's', 6);
    await grow(store, 't', 2);
    assert.deepEqual(await changeLog.bounds('s'), { oldest: 1, newest: 6 });
    await changeLog.compact('s', 3);
    assert.deepEqual(await changeLog.bounds('s'), { oldest: 4, newest: 6 });
    assert.deepEqual(await changeLog.read('s', 3, 10), entries.slice(3));
    await changeLog.compact('s', 100);
    assert.deepEqual(await changeLog.bounds('s'), { oldest: 6, newest: 6 });
    await changeLog.compact('s', 100);
    await changeLog.compact('nothing', 5);
    assert.deepEqual(await changeLog.read('s', 5, 10), entries.slice(5));
    assert.deepEqual(await changeLog.bounds('t'), { oldest: 1, newest: 2 });
    const seventh = nextEntry(entries[5] ?? EMPTY_HEAD, 's', 7, 7, 'w');
    assert.equal(await changeLog.append(seventh), true, 'and the stream goes on');
  });

  define('a sleeper across a compaction commits nothing', async ({ store, store: { changeLog } }) => {
    const entries = await grow(store, 's', 2);
    const asleep = nextEntry(entries[1] ?? EMPTY_HEAD, 's', 'late', 3, 'sleeper');
    let head = entries[1] ?? EMPTY_HEAD;
    for (let step = 3; step <= 8; step += 1) {
      const entry = nextEntry(head, 's', { step }, step, `awake-${step}`);
      assert.equal(await changeLog.append(entry), true);
      head = entry;
    }
    await changeLog.compact('s', 6);
    assert.equal(await changeLog.append(asleep), false, 'its place was compacted away');
    assert.equal(await changeLog.append(nextEntry(EMPTY_HEAD, 's', 'first', 1, 'sleeper')), false);
    await changeLog.compact('s', 8);
    assert.equal(await changeLog.append(asleep), false);
    assert.deepEqual(await changeLog.read('s', 0, 10), await changeLog.read('s', 7, 10));
    assert.deepEqual(await changeLog.bounds('s'), { oldest: 8, newest: 8 });
  });
}

function beginCases(define: DefineCase): void {
  define('a stream taken over begins at its oldest entry and goes on from it', async ({ store: { changeLog } }) => {
    const seventh = nextEntry({ revision: 6, digest: 'of the sixth' }, 's', 'old', 7, 'w7');
    assert.equal(await changeLog.append(seventh), false, 'which only begin may do');
    assert.equal(await changeLog.begin(seventh), true);
    assert.equal(await changeLog.begin(seventh), true, 'repeated by its writer');
    assert.deepEqual(await changeLog.bounds('s'), { oldest: 7, newest: 7 });
    assert.equal(await changeLog.append(nextEntry(seventh, 's', 'next', 8, 'w8')), true);
    assert.deepEqual(await changeLog.read('s', 7, 10), [nextEntry(seventh, 's', 'next', 8, 'w8')]);
    for (const revision of [1, 6, 8, 9, 20]) {
      const other = nextEntry({ revision: revision - 1, digest: 'other' }, 's', 'other', 9, 'other');
      assert.equal(await changeLog.begin(other), false, `at ${revision}`);
    }
    assert.deepEqual(await changeLog.bounds('s'), { oldest: 7, newest: 8 });
  });
}
