import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertBodySize,
  assertLimit,
  assertName,
  assertWhole,
  MAX_BODY_BYTES,
} from '../../src/platform/stored-document.ts';

const refused = { name: 'UnsafeJsonError' };

test('a body is measured in UTF-8 bytes', () => {
  assertBodySize('x'.repeat(MAX_BODY_BYTES), 'x');
  assertBodySize('é'.repeat(MAX_BODY_BYTES / 2), 'x');
  assert.throws(() => assertBodySize('x'.repeat(MAX_BODY_BYTES + 1), 'x'), refused);
  assert.throws(() => assertBodySize('é'.repeat(MAX_BODY_BYTES / 2 + 1), 'x'), refused);
});

test('a name has 1 to 1,024 bytes', () => {
  assertName('x'.repeat(1024), 'x');
  assertName('é'.repeat(512), 'x');
  for (const name of ['', 'x'.repeat(1025), 'é'.repeat(513), '\udc00'])
    assert.throws(() => assertName(name, 'x'), refused);
});

test('times and counts are whole numbers up to 2^53 - 1, limits up to the page', () => {
  assertWhole(0, 'x');
  assertWhole(Number.MAX_SAFE_INTEGER, 'x');
  for (const value of [-1, -0, 0.5, 2 ** 53, Number.NaN]) assert.throws(() => assertWhole(value, 'x'), refused);
  assertLimit(1, 'x');
  assertLimit(1000, 'x');
  for (const value of [0, 1001, 1.5, Number.NaN]) assert.throws(() => assertLimit(value, 'x'), refused);
});
