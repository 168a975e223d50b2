import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, LogEntry } from '../../src/domain/storage.ts';
import { itemsOf, TailPage } from '../../src/domain/tail-page.ts';

const entries = (count: number, body: Json): readonly LogEntry[] =>
  Array.from({ length: count }, (_, at) => {
    return { stream: 's', revision: at + 1, writer: 'w', previous: '', digest: '', at: 0, body };
  });
const grants = (count: number): Json => ({ kind: 'grants', changes: new Array<Json>(count).fill(null) });

test('pages of small entries grow to a thousand, those of large ones stay at four', () => {
  const page = new TailPage();
  const limits: number[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    limits.push(page.limit);
    assert.equal(page.note(entries(page.limit, grants(1))), true);
  }
  assert.deepEqual(limits, [4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]);
  page.note(entries(1000, grants(999)));
  assert.equal(page.limit, 4);
  page.note(entries(4, grants(999)));
  assert.equal(page.limit, 4);
  page.note(entries(4, grants(20_000)));
  assert.equal(page.limit, 1);
});

test('a page that is not full is the last one', () => {
  const page = new TailPage();
  assert.equal(page.note(entries(3, null)), false);
  assert.equal(new TailPage().note([]), false);
});

test('an entry holds itself and what is in its lists', () => {
  assert.deepEqual([null, 7, 'text', {}, [1, 2], grants(3)].map(itemsOf), [1, 1, 1, 1, 3, 4]);
});
