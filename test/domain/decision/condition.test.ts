import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Condition, type ConditionInput, compileCondition } from '../../../src/domain/decision/condition.ts';

const INPUT: ConditionInput = {
  subject: { type: 'user', id: '7', attributes: { level: 3, team: 'a' }, properties: {} },
  resource: { properties: { team: 'a' } },
  context: { yes: true, no: false, n: 5, text: 'abc', list: [1, 2, 3], map: { a: 1 } },
  action: 'documents:read',
  now: new Date('2026-01-01T10:30:00Z'),
};

function compiled(text: string): Condition {
  const made = compileCondition(text);
  assert.equal(made.kind, 'condition', made.kind === 'problem' ? `${text}: ${made.description}` : '');
  return made.kind === 'condition' ? made.condition : assert.fail();
}

function problemWith(text: string): string {
  const made = compileCondition(text);
  return made.kind === 'problem' ? made.description : assert.fail(`${text} was accepted`);
}

test('conditions read the subject, the resource, the context, the action and the time', () => {
  for (const text of [
    'subject.type == "user" && subject.id == "7"',
    'subject.attributes.level >= 3',
    'subject.attributes.team == resource.properties.team',
    'action.startsWith("documents:")',
    'now < timestamp("2026-01-02T00:00:00Z") && now.getHours() == 10',
    'now.getHours("Europe/Berlin") == 11',
    'context.n in [1, 5]',
    '2 in context.list',
    'context.list.exists(a, a == 3)',
    'context.map.a == 1',
    'size(context.list) == 3',
    '!has(context.other)',
    'context.yes',
  ]) {
    assert.equal(compiled(text).evaluate(INPUT), true, text);
  }
  assert.equal(compiled('context.no').evaluate(INPUT), false);
});

test('errors made elsewhere keep their stacks after a condition that cannot be answered', () => {
  const frames = Error.stackTraceLimit;
  assert.deepEqual(compiled('context.ip == "x"').evaluate(INPUT), ['context.ip']);
  assert.throws(() =>
    compiled('size(context.list) == 1').evaluate({ ...INPUT, context: { list: new Array(1001).fill(0) } }),
  );
  assert.equal(Error.stackTraceLimit, frames);
});

test('a missing attribute is neither true nor false, unless it does not matter', () => {
  for (const [text, missing] of [
    ['context.ip == "x"', ['context.ip']],
    ['!(context.ip == "x")', ['context.ip']],
    ['context.ip != "x"', ['context.ip']],
    ['context.ip == context.port', ['context.ip', 'context.port']],
    ['context.yes && context.ip == "x"', ['context.ip']],
    ['has(context.a.b)', ['context.a']],
    ['resource.id == "1"', ['resource.id']],
    ['subject.properties.constructor == "x"', ['subject.properties.constructor']],
    ['context.list.all(a, a > context.least)', ['context.least']],
  ] as const) {
    assert.deepEqual(compiled(text).evaluate(INPUT), missing, text);
  }
  assert.equal(compiled('context.no && context.ip == "x"').evaluate(INPUT), false);
  assert.equal(compiled('context.ip == "x" || context.yes').evaluate(INPUT), true);
});

test('a type that does not fit is neither true nor false and names what was read', () => {
  assert.deepEqual(compiled('context.text > 1').evaluate(INPUT), ['context.text']);
  assert.deepEqual(compiled('context.text').evaluate(INPUT), ['context.text']);
  assert.deepEqual(compiled('context.n.all(a, a)').evaluate(INPUT), ['context.n']);
});

test('what does not check is refused with line and column', () => {
  assert.match(
    problemWith('subject.foo == 1'),
    /^No such key: foo at line 1, column 9; `subject` has type, id, attributes and properties, `resource` has/,
  );
  assert.match(problemWith('context.a ==\n'), /Unexpected token: EOF at line \d/);
  assert.match(problemWith('true &&\n  contex.a'), /Unknown variable: contex at line 2, column 3; there are subject, /);
  assert.match(problemWith('"text"'), /must be a bool, is a string/);
  assert.match(problemWith('1 + "a" == 2'), /no such overload/i);
  assert.match(problemWith(''), /at line 1, column 1/);
});

test('regular expressions, nested or second comprehensions and what costs too much are refused', () => {
  assert.match(problemWith('context.text.matches("(a+)+b")'), /`matches` is not admitted/);
  assert.match(problemWith('context.l.all(a, context.l.all(b, a == b))'), /must not be nested/);
  assert.match(problemWith('context.l.all(a, a) && context.k.all(b, b)'), /at most one comprehension/);
  assert.match(problemWith('context.l.map(a, a * 2).size() > 0 && context.l.all(a, a)'), /at most one/);
  assert.match(problemWith('(context.l + context.k).all(a, a)'), /goes through an attribute or a list written out/);
  assert.match(problemWith('context.l.all(a, a.contains("x"))'), /not admitted inside/);
  assert.match(problemWith(`context.l.all(a, ${Array(20).fill('a > 1').join(' && ')})`), /can cost \d+ steps/);
  assert.match(problemWith('context.l.all(context, true)'), /must not be named context/);
  assert.match(problemWith('(context.text + context.text).contains("x")'), /only an attribute/);
  assert.match(problemWith('1 in (context.l + context.k)'), /only an attribute/);
  assert.match(problemWith('context.n == 1u'), /unsigned numbers and bytes are not admitted/);
  compiled('["a", "b"].exists(a, a == context.text)');
});

test('lists of 1,000 and what honest conditions ask of them stay accepted', () => {
  const tags = Array.from({ length: 1000 }, (_, at) => `tag-${at}`);
  const items = tags.slice(0, 60).map((id, at) => ({ id, size: at, members: ['5', '6', `${at}`] }));
  const given: ConditionInput = {
    ...INPUT,
    subject: { ...INPUT.subject, attributes: { teams: tags.slice(0, 200), tag: 'tag-999' } },
    resource: { properties: { teams: tags.slice(199, 400) } },
    context: { tags, items, least: 0 },
  };
  for (const text of [
    'context.tags.exists(t, t == "tag-999")',
    'context.tags.exists(t, t == subject.attributes.tag)',
    'context.tags.exists(t, t.startsWith("tag-999"))',
    'context.tags.all(t, t != "a" && t != "b" && t != "c")',
    'subject.attributes.teams.exists(t, t in resource.properties.teams)',
    'context.items.exists(i, subject.id in i.members)',
    'context.items.exists(i, i.id != i.size && i.members != i.id)',
    'double(size(context.items) + size(context.tags)) == 1060.0',
    'context.items.exists(i, i.id == "tag-59" && i.size >= 59)',
    'context.items.filter(i, i.size >= context.least).size() == 60',
    'context.items.map(i, i.size * 2.0)[59] == 118.0',
  ]) {
    assert.equal(compiled(text).evaluate(given), true, text);
  }
});

test('a list of 1,001 is refused, however little of it would be read', () => {
  const list = (count: number) => ({ ...INPUT, context: { list: Array.from({ length: count }, () => 1), no: false } });
  const condition = compiled('context.no && context.list.all(a, a == 1)');
  assert.equal(condition.evaluate(list(1000)), false);
  assert.throws(() => condition.evaluate(list(1001)), { reason: 'LIMIT_EXCEEDED' });
  const text = (count: number) => ({ ...INPUT, context: { text: 'x'.repeat(count) } });
  assert.equal(compiled('context.text.contains("y")').evaluate(text(4096)), false);
  assert.throws(() => compiled('context.text.contains("y")').evaluate(text(4097)), { reason: 'LIMIT_EXCEEDED' });
});

test('what was put together is searched and counted by no detour', () => {
  const joined = Array(20).fill('context.text').join(' + ');
  for (const text of [
    `size([${joined}][0]) > 1`,
    `{"a": ${joined}}.a.contains("b")`,
    `[[${joined}]][0][0].contains("b")`,
    `(context.yes ? [${joined}] : [""])[0].contains("b")`,
    `[${joined}].all(a, size(a) > 1)`,
    `[[${joined}]].all(a, size(a[0]) > 1)`,
    '[context.text].all(a, size([a + a][0]) > 1)',
    'size(context.list.map(a, context.text + context.text)[0]) > 1',
  ]) {
    assert.match(problemWith(text), /only an attribute, or what is written out, can be searched or counted/, text);
  }
  for (const text of [
    'size([context.text][0]) == 3',
    '[context.text, "abcd"].exists(a, size(a) == 3)',
    'size([context.list][int(context.n) + 1 - 6]) == 3',
    '[context.map].all(a, size(a) == 1) && 1 + 1 == 2',
  ]) {
    assert.equal(compiled(text).evaluate(INPUT), true, text);
  }
});

test('a text inside a list or map that is read may be as long as one by itself', () => {
  const text = (count: number) => ({ ...INPUT, context: { list: ['x'.repeat(count)], key: 0 } });
  for (const each of [
    'size(context.list[0]) > 1',
    '!context.list[context.key].contains("y")',
    '[context.list].all(a, size(a[0]) > 1)',
  ]) {
    assert.equal(compiled(each).evaluate(text(4096)), true, each);
    const tooLong = { reason: 'LIMIT_EXCEEDED', metadata: { limit: 'iteratedElements' } };
    assert.throws(() => compiled(each).evaluate(text(4097)), tooLong, each);
  }
});

test('what takes long because of what is compared is refused, wherever the comparison hides', () => {
  const numbers = (last: number) => Array.from({ length: 1000 }, (_, at) => (at === 999 ? last : at));
  const map = (last: number) => Object.fromEntries(numbers(last).map((value, at) => [`k${at}`, value]));
  const given = { l: numbers(1), k: numbers(1), m: map(1), n: map(1), s: 'x'.repeat(4096), small: map(1) };
  const context = {
    ...given,
    lists: numbers(1)
      .slice(100)
      .map((value) => [value]),
  };
  for (const text of [
    'context.l.all(a, context.m == context.n)',
    'context.l.all(a, context.l == context.k)',
    'context.l.all(a, [context.l] == [context.k])',
    'context.l.all(a, {"a": context.l} == {"a": context.k})',
    'context.l.all(a, (true ? context.m : context.n) != context.n)',
    'context.l.all(a, context.m in [context.n])',
    'context.l.all(a, a == context.m)',
    'context.l.all(a, context.l in {})',
    'context.l.all(a, context.m[context.k] == 1)',
    'context.l.all(a, context.s.endsWith(context.s))',
    'context.l.filter(a, context.l == context.k) == context.l',
    'context.m in context.l.map(a, context.n)',
    'context.l.map(a, context.lists) in context.m',
    'context.l.all(a, a in context.k)',
    'context.l.all(a, double(context.s) > 1.0)',
    `context.l == ${Array(40).fill('context.l').join(' + ')}`,
    `[${Array(50).fill('context.m').join(', ')}].all(a, a == context.n)`,
    `context.m in [${Array(50).fill('context.n').join(', ')}]`,
    Array(20).fill('context.m == context.n').join(' && '),
  ]) {
    const condition = compiled(text);
    const refused = { reason: 'LIMIT_EXCEEDED', metadata: { limit: 'comparedValues' } };
    assert.throws(() => condition.evaluate({ ...INPUT, context }), refused, text);
  }
  const items = Array.from({ length: 1000 }, (_, at) => ({ id: at }));
  for (const text of [
    'context.l == context.k && context.m == context.n',
    'context.l.all(a, a < 1000 && action == "documents:read")',
    'context.items.all(item, item.id >= 0)',
    'context.item in context.items',
    '7 in context.l && "k1" in context.m',
    'context.m["k7"] == 7 && context.m[context.key] == 7',
    'context.s.startsWith(context.s)',
    'context.items.exists(item, item.id == subject.attributes.level)',
  ]) {
    const more = { ...context, items, item: { id: 7 }, key: 'k7' };
    assert.equal(compiled(text).evaluate({ ...INPUT, context: more }), true, text);
  }
});

test('a condition ends unanswered after more errors than it may take', () => {
  const list = (broken: number) => {
    const l = Array.from({ length: 1000 }, (_, at) => (at < broken ? {} : { k: at }));
    return { ...INPUT, context: { l } };
  };
  const condition = compiled('context.l.exists(a, a.k == 999.0)');
  assert.equal(condition.evaluate(list(100)), true);
  assert.deepEqual(condition.evaluate(list(900)), ['context.l']);
  // Whatever goes on after an error is counted, and nothing that contains it answers for it.
  for (const text of [
    'context.l.exists(a, a.k == 999.0) || action == "documents:read"',
    'context.l.all(a, a.k == 1.0 || true)',
    'context.l.filter(a, a.k == 1.0 || true).size() == 1000',
    '!context.l.exists(a, a.k == 999.0)',
  ]) {
    assert.equal(typeof compiled(text).evaluate(list(0)), 'boolean', text);
    assert.notEqual(typeof compiled(text).evaluate(list(900)), 'boolean', text);
  }
});

test('constant errors are bounded, however many are written', () => {
  const errors = (count: number) => `${Array(count).fill('1/0==1').join('||')}||true`;
  assert.equal(compiled(errors(20)).evaluate(INPUT), true);
  assert.deepEqual(compiled(errors(300)).evaluate(INPUT), []);
});

test('errors late in a long condition are dearer: the interpreter counts the characters up to each', () => {
  const l = Array.from({ length: 1000 }, (_, at) => (at < 150 ? {} : { k: at }));
  const text = 'context.l.exists(a, a.k == 999.0)';
  assert.equal(compiled(text).evaluate({ ...INPUT, context: { l } }), true);
  const late = compiled(`"${'x'.repeat(3000)}" == action || ${text}`);
  assert.notEqual(typeof late.evaluate({ ...INPUT, context: { l } }), 'boolean');
});

test('a text that a function takes long over must be short', () => {
  const day = 'now - timestamp(context.since) < duration';
  const given = (context: ConditionInput['context']) => ({
    ...INPUT,
    context: { since: '2026-01-01T00:00:00Z', ...context },
  });
  assert.equal(compiled(`${day}("24h")`).evaluate(given({})), true);
  assert.equal(compiled(`${day}(context.most)`).evaluate(given({ most: '1h' })), false);
  assert.equal(compiled(`${day}(string(context.hours) + "h")`).evaluate(given({ hours: 24 })), true);
  const tooLong = { reason: 'LIMIT_EXCEEDED', metadata: { limit: 'iteratedElements' } };
  const digits = (count: number) => given({ most: '1'.repeat(count) });
  assert.deepEqual(compiled(`${day}(context.most)`).evaluate(digits(32)), ['now', 'context.since', 'context.most']);
  assert.throws(() => compiled(`${day}(context.most)`).evaluate(digits(33)), tooLong);
  assert.match(problemWith(`${day}("${'1'.repeat(49)}")`), /`duration` takes at most 48 characters/);
  assert.match(problemWith('[context.text].all(a, duration(a) > duration("1h"))'), /`duration` takes at most/);
  const part = compiled('context.text.contains("/" + context.part + "/")');
  assert.equal(part.evaluate(given({ text: 'a/b/c', part: 'b' })), true);
  assert.throws(() => part.evaluate(given({ text: 'x', part: 'x'.repeat(129) })), tooLong);
  assert.match(problemWith('context.text.contains(context.a + context.b)'), /`contains` takes at most 240 characters/);
});

test('what a condition takes in all is bounded: lists to read, to go through and to compare together', () => {
  const tags = Array.from({ length: 1000 }, (_, at) => `${at}`);
  const condition = compiled(
    'context.tags.all(t, t != "x" && t != "y") && context.a == context.c && context.b == context.c',
  );
  const map = (count: number) => Object.fromEntries(tags.slice(0, count).map((name) => [name, 1]));
  const given = (count: number) => ({ ...INPUT, context: { tags, a: map(count), b: map(count), c: map(count) } });
  assert.equal(condition.evaluate(given(10)), true);
  assert.throws(() => condition.evaluate(given(600)), {
    reason: 'LIMIT_EXCEEDED',
    metadata: { limit: 'conditionWork' },
  });
});
