import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditCursor, parseAuditCursor } from '../../src/platform/audit-cursor.ts';

test('a cursor gives back its time and id, whatever the id holds', () => {
  for (const event of [
    { at: 0, id: 'a/b/0000' },
    { at: Number.MAX_SAFE_INTEGER, id: '' },
    { at: 1_800_000_000_000, id: '\u{1f600}' },
  ]) {
    assert.deepEqual(parseAuditCursor(auditCursor(event)), event);
  }
});

test('cursors sort as their events do', () => {
  assert.ok(auditCursor({ at: 9, id: 'z' }) < auditCursor({ at: 10, id: 'a' }));
  assert.ok(auditCursor({ at: 10, id: 'a' }) < auditCursor({ at: 10, id: 'b' }));
});

test('anything else is refused', () => {
  for (const text of [
    '',
    '5/a',
    'x'.repeat(20),
    '00000000000000010',
    '000000000000000-1/a',
    '0000000000000001/\ud800',
  ]) {
    assert.throws(() => parseAuditCursor(text), { name: 'UnsafeJsonError' }, text);
  }
});
