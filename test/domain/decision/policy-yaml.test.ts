import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPolicyYaml } from '../../../src/domain/decision/policy-yaml.ts';

// Texts that took the parser seconds, or its stack.

const tooLarge: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ['bytes', 'roles: {}\n#'.padEnd(256 * 1024 + 1, 'x'), /at most 262144 bytes/],
  ['lists', '['.repeat(200_000), /more than 16 levels/],
  ['mappings', '{a: '.repeat(50_000), /more than 16 levels/],
  ['bad escapes', `roles: "${'\\q'.repeat(100_000)}"`, /odd escapes/],
  ['bad escapes by number', `roles: "${'\\uzzzz'.repeat(20_000)}"`, /odd escapes/],
  ['lists on a line', '- '.repeat(100_000), /more than 16 levels/],
  ['keys on a line', '? '.repeat(100_000), /more than 16 levels/],
  ['lines', '\n'.repeat(200_000), /at most 20000 lines/],
  ['values', `roles: {r: {permissions: [${'{a: b}, '.repeat(20_000)}]}}`, /fewer values/],
  ['anchors', `roles: [${'&a '.repeat(38_000)}]`, /anchors, tags or aliases/],
  ['blocks', Array.from({ length: 500 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'), /more than 16 levels/],
  ['a bracket in a text before', `["]", `.repeat(1000), /more than 16 levels/],
];

for (const [name, text, message] of tooLarge) {
  test(`YAML with too much is refused before it is parsed: ${name}`, () => {
    const { faults } = readPolicyYaml(text);
    assert.equal(faults.length, 1);
    assert.match(faults[0]?.message ?? '', message);
  });
}

test('a name that is there twice is a fault at the second', () => {
  assert.deepEqual(readPolicyYaml('roles:\n  a: {}\n  b: {}\n  a: {}\n').faults, [
    { line: 4, column: 3, message: 'roles.a is there already' },
  ]);
});

test('what is missing or has the wrong shape is told at its place', () => {
  const text = [
    'roles: [viewer]',
    'rules:',
    '  a: {permissions: ["d:r"]}',
    '  b: {effect: allow, permissions: ["d:r"], subject: user}',
    '  c: {effect: permit, permissions: ["d:r"], subject: user:7}',
    '',
  ].join('\n');
  assert.deepEqual(
    readPolicyYaml(text).faults.map(({ line, column, message }) => `${line}:${column} ${message}`),
    [
      '1:8 roles must be a mapping, not a list: `name: ...` for each',
      '3:3 rules.a has no effect: allow or deny',
      '4:53 rules.b.subject must be `type:id`, for example user:7 or group:eng#member',
      '5:15 rules.c.effect must be allow or deny',
    ],
  );
});

test('a large policy with brackets in its texts is read', () => {
  const lists = Array.from(
    { length: 500 },
    (_, at) => `  r${at}:\n    permissions:\n      - "a${at}:b"\n      - 'c:d'\n`,
  );
  const rules = Array.from(
    { length: 90 },
    (_, at) => `  w${at}: {effect: deny, permissions: ["a:b"], condition: 'context.a == "[{"'}\n`,
  );
  const { policy, faults } = readPolicyYaml(`roles:\n${lists.join('')}rules:\n${rules.join('')}`);
  assert.deepEqual(faults, []);
  assert.deepEqual([policy.roles.length, policy.rules?.length], [500, 90]);
});
