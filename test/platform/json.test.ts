import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertJsonSafe, canonicalJson, encodeJson, MAX_JSON_DEPTH } from '../../src/platform/json.ts';

test('what passes the guard comes back from its text as it went in', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }), (value) => {
      assert.deepEqual(JSON.parse(encodeJson(keepZero(value), 'x')), keepZero(value));
    }),
  );
});

test('the canonical text does not depend on the order of members', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const plain = keepZero(value);
      assert.equal(canonicalJson(reversed(plain), 'x'), canonicalJson(plain, 'x'));
      assert.deepEqual(JSON.parse(canonicalJson(plain, 'x')), plain);
    }),
  );
});

test('the canonical text of the example in RFC 8785 section 3.2.3 and 3.2.2', () => {
  const numbers = JSON.parse('{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]}');
  assert.equal(canonicalJson(numbers, 'x'), '{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}');
  const sorted = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
  assert.equal(canonicalJson(sorted, 'x'), '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  assert.equal(canonicalJson({ b: undefined, a: [{ d: 1, c: null }] }, 'x'), '{"a":[{"c":null,"d":1}]}');
});

test('nesting is allowed up to the limit and refused beyond it', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  assertJsonSafe(nested(MAX_JSON_DEPTH), 'x');
  assert.throws(
    () => assertJsonSafe(nested(MAX_JSON_DEPTH + 1), 'x'),
    /^UnsafeJsonError: x\[0\].* is nested deeper than 64 levels$/,
  );
});

test('a hole, a class instance and a value of no JSON type are refused; an object without a prototype is not', () => {
  const refused: readonly unknown[] = [
    undefined,
    Object.assign([], { length: 1 }),
    new (class Point {})(),
    Symbol('x'),
    Buffer.from('x'),
    [() => 1],
  ];
  for (const value of refused) assert.throws(() => encodeJson(value, 'x'), { name: 'UnsafeJsonError' });
  assert.equal(encodeJson(Object.assign(Object.create(null), { a: 1 }), 'x'), '{"a":1}');
});

test('an endless place is cut in the message', () => {
  const value = { ['n'.repeat(5000)]: Number.NaN };
  assert.throws(
    () => assertJsonSafe(value, 'x'),
    (error: Error) => error.message.length < 400,
  );
});

/** fast-check makes -0, which the guard refuses by design. */
function keepZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, reversed(member)]),
  );
}
