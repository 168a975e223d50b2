import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Environment } from '@marcbachmann/cel-js';
import { type ConditionInput, compileCondition } from '../../../src/domain/decision/condition.ts';
import { boundInterpreter } from '../../../src/domain/decision/interpreter-bounds.ts';

function bounded() {
  const environment = new Environment().registerVariable('l', 'list<dyn>');
  return { environment, errors: boundInterpreter(environment) };
}

test('errors are counted wherever the interpreter goes on after one', () => {
  const { environment, errors } = bounded();
  for (const [text, met] of [
    ['1/0 == 1 || true', 1],
    ['1/0 == 1 && false', 1],
    ['l.exists(a, a.k == 1)', 2],
    ['(l.all(a, a.k == 1) ? true : true) || true', 3],
    // Of each number: the first, the second with it, neither made good by the third; then `all` itself.
    ['l.all(a, a.k == 1 || a.k == 2 || a == 3.0) || true', 7],
    ['l.filter(a, a.k == 1 || true).size() == 3', 2],
  ] as const) {
    errors.allow(10);
    environment.evaluate(text, { l: [1, 2, { k: 1n }] });
    assert.equal(errors.met, met, text);
  }
});

test('the error after the last that is allowed ends the run', () => {
  const { environment, errors } = bounded();
  const run = (most: number): unknown => {
    errors.allow(most);
    return environment.evaluate('(l.all(a, a.k == 1) || true) && true', { l: [1, 2, 3] });
  };
  assert.equal(run(4), true);
  assert.throws(() => run(3), /No such key/);
  assert.throws(() => run(0), /No such key/);
  assert.equal(run(4), true);
});

test('the type of a value is taken without looking into it', () => {
  let reads = 0;
  const first = {
    get k() {
      reads += 1;
      return 1;
    },
  };
  const { environment } = bounded();
  assert.equal(environment.evaluate('l[0] != "x" && l[1] != l[0]', { l: [[first], 'x'] }), true);
  assert.equal(reads, 0);
});

test('lists and maps are equal or in each other by what they hold, whatever their first elements are', () => {
  const context: ConditionInput['context'] = {
    a: [1, 'x'],
    b: [1, 'x'],
    c: ['x', 1],
    m: { k: [1] },
    n: { k: [1] },
    e: [],
  };
  const input: ConditionInput = {
    subject: { type: 'user', id: '7', attributes: {}, properties: {} },
    resource: { properties: {} },
    context,
    action: 'a:b',
    now: new Date(0),
  };
  for (const [text, expected] of [
    ['context.a == context.b', true],
    ['context.a == context.c', false],
    ['context.m == context.n', true],
    ['context.m == context.a', false],
    ['context.e == context.a', false],
    ['context.a == [1, "x"]', true],
    ['context.m in [context.a, context.n]', true],
    ['[1] in context.c', false],
    ['"x" in context.a && 1 in context.c', true],
    ['size(context.a + context.c) == 4', undefined],
    ['(context.a + context.c)[2] == "x"', true],
  ] as const) {
    const made = compileCondition(text);
    if (expected === undefined) {
      assert.equal(made.kind, 'problem', text);
      continue;
    }
    assert.equal(made.kind === 'condition' ? made.condition.evaluate(input) : made.description, expected, text);
  }
});

test('an interpreter that is built otherwise is refused when the service starts', () => {
  const other = { registerFunction: () => other, evaluate: () => true };
  assert.throws(() => boundInterpreter(other as unknown as Environment), /cannot be bounded/);
});
