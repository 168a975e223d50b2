import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { patternMatches } from '../../../src/domain/decision/permission.ts';
import { coversScope } from '../../../src/domain/keys/scopes.ts';

const segment = fc.constantFrom('a', 'b', '*');
const pattern = fc.oneof(
  fc.constant('*'),
  fc.array(segment, { minLength: 2, maxLength: 4 }).map((parts) => parts.join(':')),
);

const NAMES = ['a', 'b', 'z'];

/** Every sequence of one to five segments of a, b and a name that no pattern has. */
const permissions = [1, 2, 3, 4, 5].flatMap((length) =>
  Array.from({ length: NAMES.length ** length }, (_, number) =>
    Array.from({ length }, (_none, at) => NAMES[Math.floor(number / NAMES.length ** at) % NAMES.length] ?? ''),
  ),
);

test('a scope covers another exactly when it matches all that the other matches', () => {
  fc.assert(
    fc.property(pattern, pattern, (wider, narrower) => {
      const isWithin = permissions.every(
        (permission) => !patternMatches(narrower, permission) || patternMatches(wider, permission),
      );
      assert.equal(coversScope([wider], narrower), isWithin, `${wider} over ${narrower}`);
    }),
    { numRuns: 1_000 },
  );
});

test('no scopes narrow nothing, and one of several is enough', () => {
  assert.ok(coversScope([], 'anything:at:all'));
  assert.ok(coversScope(['a:b', 'c:*'], 'c:d'));
  assert.ok(!coversScope(['a:b', 'c:d'], 'c:*'));
});
