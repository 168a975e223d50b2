import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TextTable } from '../../../src/domain/decision/text-table.ts';

const key = (kind: number, text: string) => `${kind} ${text}`;

test('a table finds what a map would, whatever the texts, and gives them back as they were', () => {
  const name = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.string({ unit: 'binary', maxLength: 40 }));
  const step = fc.tuple(fc.constantFrom('add', 'add', 'add', 'remove'), name);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new TextTable(2);
      const model = new Map<string, number>();
      for (const [action, [kind, text]] of steps) {
        const known = model.get(key(kind, text)) ?? 0;
        assert.equal(table.find(kind, text), known);
        if (action === 'remove') {
          if (known !== 0) table.remove(known);
          model.delete(key(kind, text));
          continue;
        }
        const record = table.intern(kind, text);
        if (known !== 0) assert.equal(record, known);
        model.set(key(kind, text), record);
        table.set(record, 1, record);
      }
      for (const [name, record] of model) {
        assert.equal(key(table.kindOf(record), table.textOf(record)), name);
        assert.deepEqual([table.get(record, 0), table.get(record, 1)], [0, record]);
      }
      assert.deepEqual(
        [...table.records()],
        [...model.values()].sort((left, right) => left - right),
      );
      assert.equal(table.count, model.size);
    }),
  );
});

test('texts that differ only in what follows a word, in case, or in width are others', () => {
  const table = new TextTable(0);
  const texts = [
    '',
    '\0',
    '\0\0',
    'abcd',
    'abcd\0',
    'abcde',
    'Abcd',
    'abc\u0100',
    'abc\u0000',
    '\u6161\u6262',
    'aabb',
    '\ud800',
  ];
  const records = texts.map((text) => table.intern(1, text));
  assert.equal(new Set(records).size, texts.length);
  assert.deepEqual(
    records.map((record) => table.textOf(record)),
    texts,
  );
});

test('records keep their order and fields over many chunks, and none lies across two', () => {
  const table = new TextTable(3);
  const text = (at: number) => `${at}-${'x'.repeat(at % 300)}`;
  const records: number[] = [];
  for (let at = 0; at < 50_000; at += 1) {
    const record = table.intern(1 + (at % 3), text(at));
    table.set(record, 2, at);
    records.push(record);
  }
  assert.deepEqual([...table.records()], records);
  for (const [at, record] of records.entries()) {
    assert.equal(table.find(1 + (at % 3), text(at)), record);
    assert.equal(table.get(record, 2), at);
  }
});

test('what was added since the table ended somewhere can be taken back, and its place is used again', () => {
  const table = new TextTable(1);
  for (let at = 0; at < 50; at += 1) table.intern(1, `stays ${at}`);
  const { end, count } = table;
  for (let turn = 0; turn < 3; turn += 1) {
    const records = Array.from({ length: 20_000 }, (_, at) => table.intern(2, `goes ${at}`));
    for (const record of records) table.set(record, 0, 7);
    table.truncate(end);
    assert.deepEqual([table.end, table.count, table.find(2, 'goes 5')], [end, count, 0]);
    assert.equal(table.textOf(table.find(1, 'stays 49')), 'stays 49');
    const again = table.intern(3, 'comes');
    assert.deepEqual([again, table.get(again, 0)], [end, 0]);
    table.truncate(end);
  }
});

test('record 0 and numbers below it are no records, and record 0 has fields', () => {
  const table = new TextTable(2);
  table.intern(1, 'a');
  table.set(0, 1, 5);
  assert.deepEqual([table.get(0, 1), table.textOf(0), table.kindOf(0)], [5, '', 0]);
  for (let record = -1; record > -40; record -= 1) {
    assert.deepEqual(
      [table.get(record, 0), table.get(record, 1), table.textOf(record), table.kindOf(record)],
      [0, 0, '', 0],
    );
  }
});
