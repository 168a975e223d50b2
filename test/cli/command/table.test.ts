import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printableJson } from '../../../src/cli/command/printable.ts';
import { createTable } from '../../../src/cli/command/table.ts';

function drawn(columns: number | undefined, ...rows: readonly (readonly string[])[]): readonly string[] {
  const lines: string[] = [];
  const table = createTable(['ID', 'NAME', 'NOTE'], columns, (line) => lines.push(line));
  for (const row of rows) table.add(row);
  table.end();
  return lines;
}

test('columns are as wide as what is in them', () => {
  assert.deepEqual(drawn(undefined, ['1', 'Ada', 'x'], ['22222', 'Bo', '']), [
    'ID     NAME  NOTE',
    '1      Ada   x',
    '22222  Bo',
  ]);
});

test('a list of nothing prints nothing', () => {
  assert.deepEqual(drawn(undefined), []);
});

test('on a terminal the widest columns are cut until the line fits; elsewhere nothing is', () => {
  const row = ['abcdefgh', 'a name that is rather long', 'and a note that is even longer than it'];
  const lines = drawn(40, row);
  assert.ok(lines.every((line) => [...line].length <= 40));
  assert.equal(lines[1], 'abcdefgh  a name that i…  and a note th…');
  assert.equal(drawn(undefined, row)[1], row.join('  '));
});

test('wide characters and combining ones take the columns that a terminal gives them', () => {
  assert.deepEqual(drawn(undefined, ['1', '山田太郎', 'x'], ['2', 'e\u0301', 'y']), [
    'ID  NAME      NOTE',
    '1   山田太郎  x',
    '2   e\u0301         y',
  ]);
});

test('rows beyond the measured ones are written as they come', () => {
  const lines: string[] = [];
  const table = createTable(['ID'], undefined, (line) => lines.push(line));
  for (let n = 0; n < 100; n += 1) table.add([String(n)]);
  assert.equal(lines.length, 101);
  table.add(['later']);
  assert.equal(lines.at(-1), 'later');
});

test('control and bidirectional characters do not reach the terminal, in tables and in JSON', () => {
  assert.equal(
    drawn(undefined, ['a\u001b[2J', 'b\u009b1m\u0085', '\u202ec\nd'])[1],
    'a\ufffd[2J  b\ufffd1m\ufffd  \ufffdc\ufffdd',
  );
  const value = { text: '\u001b\u009b\u202e\u2028' };
  const text = printableJson(value);
  assert.ok(/^[\u0020-\u007e]*$/.test(text), text);
  assert.deepEqual(JSON.parse(text), value);
});
