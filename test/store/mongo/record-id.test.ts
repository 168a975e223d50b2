import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeBytes, recordId, scopeRange } from '../../../src/store/mongo/record-id.ts';

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('/', '~', '0', 'a', '\0', '}', '\x7f', 'é', '\uffee', '\u{1f600}'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});

test('distinct pairs of scope and id never share an _id', () => {
  fc.assert(
    fc.property(text, text, text, text, (scope, id, otherScope, otherId) => {
      const same = scope === otherScope && id === otherId;
      assert.equal(recordId(scope, id) === recordId(otherScope, otherId), same);
    }),
  );
  assert.notEqual(recordId('a/b', 'c'), recordId('a', 'b/c'));
  assert.notEqual(recordId('~2f', 'c'), recordId('/', 'c'));
});

test('escaped text sorts, by UTF-16 units, as the original does by UTF-8 bytes', () => {
  fc.assert(
    fc.property(text, text, (left, right) => {
      const bytes = Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      const [one, two] = [escapeBytes(left), escapeBytes(right)];
      assert.equal(one < two ? -1 : one > two ? 1 : 0, bytes);
    }),
  );
});

test('a range holds the ids of its scope and no others, and after one of them the later ones', () => {
  fc.assert(
    fc.property(text, text, text, (scope, id, other) => {
      const { $gte = '', $lt } = scopeRange(scope);
      const within = (value: string): boolean => value >= $gte && value < $lt;
      assert.ok(within(recordId(scope, id)));
      if (other !== scope) assert.ok(!within(recordId(other, id)));
      const { $gt = '' } = scopeRange(scope, other);
      const later = Buffer.compare(Buffer.from(id), Buffer.from(other)) > 0;
      assert.equal(recordId(scope, id) > $gt, later);
    }),
  );
});
