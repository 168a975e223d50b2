import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPatternSet } from '../../../src/domain/decision/pattern-set.ts';
import { parsePattern, parsePermission, patternMatches, segmentsOf } from '../../../src/domain/decision/permission.ts';
import { Violations } from '../../../src/domain/violations.ts';

function problems(parse: typeof parsePermission, value: string): number {
  const violations = new Violations();
  parse(value, 'permission', violations);
  return violations.count;
}

test('a permission is two to sixteen segments without spaces or wildcards', () => {
  const sixteen = Array.from({ length: 16 }, () => 'a').join(':');
  for (const good of ['documents:read', 'a:b:c', 'Users:setPassword', 'api_keys:verify', 'x.y:z-1/2', sixteen]) {
    assert.equal(problems(parsePermission, good), 0, good);
  }
  const bad = [
    '',
    'documents',
    'documents:',
    ':read',
    'a::b',
    'documents: read',
    'a:b ',
    'a:*',
    '*',
    'a:b*',
    'ä:b',
    'a:\u0000',
  ];
  for (const value of [...bad, `${sixteen}:a`, `a:${'b'.repeat(255)}`]) {
    assert.equal(problems(parsePermission, value), 1, value);
  }
  assert.equal(problems(parsePermission, `a:${'b'.repeat(254)}`), 0, 'exactly 256 characters');
});

test('a pattern may have whole segments that are wildcards, and nothing else', () => {
  for (const good of ['*', 'a:*', '*:read', 'a:*:c', '*:*', 'a:b']) assert.equal(problems(parsePattern, good), 0, good);
  for (const bad of ['', 'a', 'a*:b', 'a:b*', '**', 'a:**', '* :a']) assert.equal(problems(parsePattern, bad), 1, bad);
});

test('a trailing wildcard takes the rest, any other one segment', () => {
  const cases: readonly [string, string, boolean][] = [
    ['*', 'a:b', true],
    ['*', 'a:b:c', true],
    ['a:*', 'a:b', true],
    ['a:*', 'a:b:c', true],
    ['a:*', 'b:b', false],
    ['a:b:*', 'a:b', false],
    ['*:b', 'a:b', true],
    ['*:b', 'a:b:c', false],
    ['a:*:c', 'a:b:c', true],
    ['a:*:c', 'a:b:d', false],
    ['a:b', 'a:b', true],
    ['a:b', 'a:b:c', false],
    ['a:b:c', 'a:b', false],
    ['A:b', 'a:b', false],
  ];
  for (const [pattern, permission, expected] of cases) {
    assert.equal(patternMatches(pattern, segmentsOf(permission)), expected, `${pattern} on ${permission}`);
  }
});

/** By regular expression, as one would write it down at first. */
function naive(pattern: string, permission: string): boolean {
  const parts = pattern.split(':');
  const text = parts.map((part, index) => {
    if (part !== '*') return part;
    return index === parts.length - 1 ? '[^:]+(:[^:]+)*' : '[^:]+';
  });
  return new RegExp(`^${text.join(':')}$`).test(permission);
}

const segment = fc.constantFrom('a', 'b', 'c');
const permission = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(':'));
const pattern = fc
  .array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(':'));

test('matching agrees with a regular expression, alone and in a set that patterns enter and leave', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(pattern, fc.boolean()), { maxLength: 12 }),
      fc.array(permission),
      (patterns, asked) => {
        const set = createPatternSet(patterns.map(([each]) => each));
        for (const [each, leaves] of patterns) if (leaves) set.remove(each);
        const left = patterns.filter(([, leaves]) => !leaves).map(([each]) => each);
        for (const each of asked) {
          for (const one of left) assert.equal(patternMatches(one, segmentsOf(each)), naive(one, each));
          assert.equal(
            set.matches(segmentsOf(each)),
            left.some((one) => naive(one, each)),
          );
        }
      },
    ),
    { numRuns: 1000 },
  );
});
