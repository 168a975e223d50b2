import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecentlyUsed } from '../../src/platform/recently-used.ts';

test('as many values are kept as were asked for, those used last', () => {
  const recent = createRecentlyUsed<{ readonly at: number }>(2);
  recent.set('a', { at: 1 });
  recent.set('b', { at: 2 });
  assert.deepEqual(recent.get('a'), { at: 1 });
  recent.set('c', { at: 3 });
  assert.equal(recent.get('b'), undefined);
  assert.deepEqual(recent.get('a'), { at: 1 });
  assert.deepEqual(recent.get('c'), { at: 3 });
});
