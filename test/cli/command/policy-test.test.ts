import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandLine } from '../../support/command-line.ts';

// `sallyport policy test` and `sallyport check --file`: the engine over files.

const policy = `
roles:
  viewer: {permissions: ["documents:read"]}
  editor: {permissions: ["documents:write"], parents: [viewer]}
`;

const tests = `
policy: policy.yaml
grants:
  - user:7 editor document:42
  - user:a:b documents:*
  - {subject: user:8, role: editor}
  - {subject: user:8, role: editor, resource: document:42, effect: deny}
  - {subject: user:6, role: viewer, expire_time: 2029-12-31T23:59:59Z}
disabled: [user:9]
tests:
  - {check: user:7 documents:read document:42, expect: allow, reason: GRANTED}
  - {check: user:7 documents:read document:43, expect: deny}
  - {check: user:a:b documents:write, expect: allow}
  - {check: user:8 documents:read document:42, expect: deny, reason: DENIED_BY_RULE}
  - {check: user:8 documents:read document:43, expect: allow}
  - {check: user:6 documents:read, expect: deny}
  - {check: user:9 documents:read, expect: deny, reason: SUBJECT_DISABLED}
`;

test('decisions that are as expected pass', async () => {
  using line = commandLine({ 'policy.yaml': policy, 'tests.yaml': tests });
  assert.deepEqual(await line.run('policy', 'test', 'tests.yaml'), {
    code: 0,
    out: '7 of 7 decisions are as expected\n',
    err: '',
  });
});

test('a failure names its place, what was expected, and why the decision is what it is', async () => {
  const wrong = `${tests}  - {name: "readers <never> write", check: user:7 documents:write document:42, expect: deny}\n`;
  using line = commandLine({
    'policy.yaml': policy,
    'deep/tests.yaml': wrong.replace('policy.yaml', '../policy.yaml'),
  });
  const { code, out } = await line.run('policy', 'test', 'deep/tests.yaml', '--junit', 'junit.xml');
  assert.equal(code, 1);
  assert.equal(
    out,
    `deep/tests.yaml:18: readers <never> write
  expected DENY, got ALLOW (GRANTED)
  for user:7 documents:write on document:42
    user:7 holds role editor on document:42 by grant given-1
    role editor includes documents:write

7 of 8 decisions are as expected
`,
  );
  const junit = line.read('junit.xml');
  assert.match(junit, /<testsuite name="deep\/tests.yaml" tests="8" failures="1">/);
  assert.match(junit, /name="readers &lt;never&gt; write">\s+<failure message="expected DENY, got ALLOW \(GRANTED\)">/);
});

test('--policy tests another policy than the file names', async () => {
  const stricter = policy.replace('["documents:read"]', '[]');
  using line = commandLine({ 'policy.yaml': policy, 'next.yaml': stricter, 'tests.yaml': tests });
  const { code, out } = await line.run('policy', 'test', 'tests.yaml', '--policy', 'next.yaml');
  assert.equal(code, 1);
  assert.match(out, /^4 of 7 decisions/m);
});

test('whatever is wrong with a file is said with line and column, all at once', async () => {
  using line = commandLine({
    'policy.yaml':
      'roles:\n  viewer: {permissions: ["doc*:read"], parent: []}\n  a: {parents: [b]}\n  b: {parents: [a]}\n',
    'loop.yaml': 'roles:\n  a: {parents: [b]}\n  b: {parents: [a]}\n',
    'tests.yaml': 'policy: policy.yaml\ngrants: [user7 editor]\ntests:\n  - {check: user:7 read, expect: maybe}\n',
    'broken.yaml': 'roles: [\n',
    'ok.yaml': 'policy: policy.yaml\ntests: []\n',
    'looped.yaml': 'policy: loop.yaml\ntests: []\n',
  });
  const faults = await line.run('policy', 'test', 'tests.yaml');
  assert.equal(faults.code, 2);
  assert.match(faults.err, /^sallyport: tests\.yaml:2:10: a grant must be/m);
  assert.match(faults.err, /^tests\.yaml:4:34: expect must be allow or deny/m);
  assert.match(faults.err, /^tests\.yaml:4:13: the permission must be/m);
  const ofPolicy = await line.run('policy', 'test', 'ok.yaml');
  assert.match(ofPolicy.err, /policy\.yaml:2:40: roles\.viewer\.parent is unknown; known are permissions, parents/);
  assert.match(ofPolicy.err, /policy\.yaml:2:26: roles\.viewer\.permissions\[0\] must be/);
  assert.match(
    (await line.run('policy', 'test', 'looped.yaml')).err,
    /loop\.yaml:2:16: roles\.a\.parents form a cycle: a -> b -> a/,
  );
  assert.match((await line.run('policy', 'test', 'broken.yaml')).err, /broken\.yaml:\d+:\d+: /);
  assert.match((await line.run('policy', 'test', 'absent.yaml')).err, /absent\.yaml cannot be read/);
});

test('a reason that there is none of is a fault, and so is one that only an offline test could compare', async () => {
  using line = commandLine({
    'policy.yaml': policy,
    'tests.yaml': 'policy: policy.yaml\ntests: [{check: user:7 documents:read, expect: deny, reason: NOPE}]\n',
    'live.yaml': 'tests:\n  - {check: user:7 documents:read, expect: deny, reason: NO_MATCH}\n',
  });
  const { code, err } = await line.run('policy', 'test', 'tests.yaml');
  assert.deepEqual([code, /tests\.yaml:2:\d+: NOPE is no reason; known are GRANTED, NO_MATCH/.test(err)], [2, true]);
  const live = await line.run('policy', 'apply', 'policy.yaml', '--test', 'live.yaml');
  assert.deepEqual([live.code, /live\.yaml:2: the service compares effects only/.test(live.err)], [2, true]);
});

test('a decision that reaches a limit fails its test and the question, in words', async () => {
  const list = Array(1001).fill(true).join(', ');
  using line = commandLine({
    'policy.yaml': policy,
    'tests.yaml': `policy: policy.yaml
grants: [{subject: user:8, role: viewer, condition: "context.l.all(a, a)"}]
tests: [{check: user:8 documents:read, context: {l: [${list}]}, expect: deny}]
`,
  });
  const { code, out } = await line.run('policy', 'test', 'tests.yaml');
  assert.equal(code, 1);
  assert.match(out, /expected DENY, got no decision \(LIMIT_EXCEEDED: context\.l has more than 1000 entries/);
  const asked = ['check', 'user:8', 'documents:read', '--file', 'tests.yaml', '--context', `{"l": [${list}]}`];
  const check = await line.run(...asked);
  assert.deepEqual([check.code, /no decision \(LIMIT_EXCEEDED: /.test(check.err)], [2, true]);
});

test('a grant of a role that the policy lacks is a fault of the test file', async () => {
  using line = commandLine({
    'policy.yaml': policy,
    'tests.yaml': 'policy: policy.yaml\ngrants: [user:7 owner]\ntests: []\n',
  });
  const { code, err } = await line.run('policy', 'test', 'tests.yaml');
  assert.equal(code, 2);
  assert.match(err, /grant 1\.role: `owner` is not a role of the policy file, which has viewer, editor/);
});

test('one question is answered from files, with the reasons if asked for', async () => {
  using line = commandLine({ 'policy.yaml': policy, 'tests.yaml': tests });
  const ask = (...args: readonly string[]) => line.run('check', ...args, '--file', 'tests.yaml');
  assert.deepEqual(await ask('user:7', 'documents:read', 'document:42', '--explain'), {
    code: 0,
    out: `ALLOW (GRANTED)
  user:7 holds role editor on document:42 by grant given-1
  role editor includes role viewer
  role viewer includes documents:read
`,
    err: '',
  });
  assert.deepEqual(await ask('user:7', 'documents:read'), { code: 1, out: 'DENY (NO_MATCH)\n', err: '' });
});

test('a command line that is wrong is exit code 2 with what is accepted', async () => {
  using line = commandLine();
  for (const args of [
    ['policy'],
    ['policy', 'aply', 'x'],
    ['policy', 'test'],
    ['check', 'user7', 'a:b'],
    ['check', 'user:7', 'a:*'],
    ['check', 'user:7', 'a:b', 'doc'],
    ['check', 'user:7', 'a:b', '--context', '[1]'],
  ]) {
    const { code, out, err } = await line.run(...args);
    assert.equal(code, 2, args.join(' '));
    assert(out + err !== '', args.join(' '));
  }
  const help = await line.run('policy', '--help');
  assert.equal(help.code, 0);
  const commands = [...help.out.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name);
  assert.deepEqual(commands, ['apply', 'restore', 'diff', 'export', 'versions', 'test']);
});
