import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { type ConditionInput, compileCondition } from '../../../src/domain/decision/condition.ts';

// The conformance cases of the CEL specification that say true, false or an error, as far as conditions are admitted.

/** Suites about what conditions leave out: messages, regular expressions, extensions, optional values, variables of their own. */
const LEFT_OUT = new Set([
  'bindings_ext',
  'block_ext',
  'dynamic',
  'encoders_ext',
  'enums',
  'lists_ext',
  'macros2',
  'math_ext',
  'namespace',
  'network_ext',
  'optionals',
  'plumbing',
  'proto2',
  'proto2_ext',
  'proto3',
  'string_ext',
  'type_deduction',
  'unknowns',
  'wrappers',
]);

const INPUT: ConditionInput = {
  subject: { type: 'user', id: '7', attributes: {}, properties: {} },
  resource: { properties: {} },
  context: {},
  action: 'a:b',
  now: new Date(0),
};

/** Cases where the interpreter differs from the specification, each looked at. */
const KNOWN_DIFFERENCES: readonly string[] = [
  // Whole numbers beyond 2^53 beside a double; attributes are doubles themselves.
  'comparisons/lt_literal/not_lt_dyn_int_big_lossy_double',
  'comparisons/gt_literal/not_gt_dyn_big_double_int',
  'comparisons/lte_literal/lte_dyn_big_double_int',
  'comparisons/gte_literal/gte_dyn_int_big_lossy_double',
  // Times are kept to the millisecond.
  'timestamps/timestamp_arithmetic/add_time_to_duration_nanos_positive',
];

interface Case {
  readonly name: string;
  readonly expr: string;
  readonly expected: boolean | 'error';
}

function casesOf(suite: IncrementalTestSuite, path: string): readonly Case[] {
  const own = suite.tests.flatMap(({ original }): Case[] => {
    const { expr, resultMatcher } = original;
    const hasOwnNames = Object.keys(original.bindings).length > 0 || original.typeEnv.length > 0;
    if (hasOwnNames || original.container !== '' || original.disableCheck) return [];
    const name = `${path}/${original.name}`;
    if (resultMatcher.case === undefined) return [{ name, expr, expected: true }];
    if (resultMatcher.case === 'evalError') return [{ name, expr, expected: 'error' }];
    if (resultMatcher.case !== 'value' || resultMatcher.value.kind.case !== 'boolValue') return [];
    return [{ name, expr, expected: resultMatcher.value.kind.value }];
  });
  return [...own, ...suite.suites.flatMap((each) => casesOf(each, `${path}/${each.name}`))];
}

test('what is admitted answers the conformance cases of the CEL specification', () => {
  const suites = getConformanceSuite().suites.filter(({ name }) => !LEFT_OUT.has(name));
  const cases = suites.flatMap((suite) => casesOf(suite, suite.name));
  const wrong: string[] = [];
  let refused = 0;
  for (const { name, expr, expected } of cases) {
    const compiled = compileCondition(expr);
    if (compiled.kind === 'problem') {
      refused += 1;
      continue;
    }
    const outcome = compiled.condition.evaluate(INPUT);
    const said = typeof outcome === 'boolean' ? outcome : 'error';
    if (said !== expected) wrong.push(`${name}: ${expr} gave ${said}, not ${expected}`);
  }
  assert.deepEqual(
    wrong.filter((each) => !KNOWN_DIFFERENCES.some((known) => each.startsWith(`${known}:`))),
    [],
  );
  // Watched, so that a new release does not quietly admit less.
  assert.ok(cases.length - refused >= 300, `${cases.length} cases, ${refused} refused when compiled`);
});
