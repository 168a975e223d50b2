import { type ConditionInput, compileCondition } from '../src/domain/decision/condition.ts';
import { createDecisionIndex } from '../src/domain/decision/create-decision-index.ts';
import type { DecisionQuestion } from '../src/domain/decision/decision-index.ts';
import { encodePolicyEntry, type StoredChange } from '../src/domain/decision/policy-log.ts';
import type { Grant, Policy } from '../src/domain/decision/use-cases.ts';

// `node bench/decision-paths.ts`: what one decision inside the process costs by what it takes (a role, a condition, groups), on 10,000 and
// 1,000,000 grants; restoring them; and the worst condition that is accepted. Targets: a role under 1 us, a condition or three levels of
// groups under 5 us, a restore under 5 s with stops under 20 ms, the worst condition under 1 ms.

const POLICY: Policy = {
  roles: [
    { name: 'viewer', permissions: ['documents:read'], inherits: [] },
    { name: 'member', permissions: [], inherits: [] },
  ],
};
const ROUNDS = 200_000;
const NOW = 1;
const viewer = { kind: 'role', role: 'viewer' } as const;
const member = { kind: 'role', role: 'member' } as const;
const user = (at: number | string) => ({ type: 'user', id: `user-${at}` });
const document = (at: number | string) => ({ type: 'document', id: `document-${at}` });
const group = (id: string) => ({ type: 'group', id });
const members = (id: string) => ({ ...group(id), relation: 'member' });

/** `count` users with a document each, and beside them whatever the paths need. */
function filled(count: number): ReturnType<typeof createDecisionIndex> {
  const index = createDecisionIndex('default', POLICY);
  const apply = (changes: readonly StoredChange[]): void =>
    index.apply({
      revision: index.revision + 1,
      at: 0,
      body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }),
    });
  index.apply({
    revision: 1,
    at: 0,
    body: encodePolicyEntry({ kind: 'policy', author: 'a', version: 1, policy: POLICY }),
  });
  const put = (id: string, grant: Omit<Grant, 'id' | 'effect'>): StoredChange => ({
    kind: 'put',
    grant: { id, effect: 'allow', ...grant },
  });
  for (let from = 0; from < count; from += 1000) {
    apply(
      Array.from({ length: 1000 }, (_, at) =>
        put(`grant-id-of-22-ch-${from + at}`, {
          subject: user(from + at),
          what: viewer,
          resource: document(from + at),
        }),
      ),
    );
  }
  const condition = 'subject.attributes.team == resource.properties.team';
  apply([
    put('c', { subject: user('c'), what: viewer, resource: document('c'), condition }),
    { kind: 'put_attributes', subject: user('c'), attributes: { team: 'a' } },
    put('g1', { subject: user('g'), what: member, resource: group('1') }),
    put('g2', { subject: members('1'), what: member, resource: group('2') }),
    put('g3', { subject: members('2'), what: member, resource: group('3') }),
    put('g4', { subject: members('3'), what: viewer, resource: document('g') }),
  ]);
  return index;
}

function print(name: string, value: string): void {
  process.stdout.write(`${name.padEnd(56)} ${value}\n`);
}

/** CPU time, best of five, because the machine is shared. */
function time(name: string, run: (round: number) => unknown, rounds = ROUNDS): void {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const begin = process.cpuUsage();
    for (let round = 0; round < rounds; round += 1) run(round);
    const { user: own, system } = process.cpuUsage(begin);
    best = Math.min(best, (own + system) / rounds);
  }
  print(name, `${best.toFixed(2)} us`);
}

function timePaths(count: number): void {
  const index = filled(count);
  const question = (subject: object, resource: object, more: object = {}): DecisionQuestion =>
    ({ subject, resource, permission: 'documents:read', ...more }) as DecisionQuestion;
  const expectAllow = (asked: DecisionQuestion): DecisionQuestion => {
    const { effect, reason } = index.decide(asked, NOW);
    if (effect !== 'allow') throw new Error(`not allowed: ${reason}`);
    return asked;
  };
  const one = expectAllow(question(user(5), document(5)));
  const step = 7919;
  const random = Array.from({ length: ROUNDS }, (_, at) => {
    const who = (at * step) % count;
    return question(user(who), document(who));
  });
  const conditional = expectAllow(question(user('c'), document('c'), { resourceProperties: { team: 'a' } }));
  const grouped = expectAllow(question(user('g'), document('g')));
  print(`\n${count} grants`, '');
  time('a role, one subject', () => index.decide(one, NOW));
  time('a role, a random subject each time', (round) => index.decide(random[round] ?? one, NOW));
  time('a condition', () => index.decide(conditional, NOW));
  time('three levels of groups', () => index.decide(grouped, NOW));
  timeRestore([...index.snapshot()]);
}

function timeRestore(chunks: readonly string[]): void {
  const restored = createDecisionIndex('default', POLICY);
  let longest = 0;
  let sum = 0;
  for (const chunk of chunks) {
    const from = process.cpuUsage();
    restored.restore(chunk);
    const { user: own, system } = process.cpuUsage(from);
    sum += own + system;
    longest = Math.max(longest, own + system);
  }
  print('restored', `${(sum / 1000).toFixed(0)} ms, at most ${(longest / 1000).toFixed(1)} ms at a time, in CPU time`);
}

/** Conditions near the limit of what is accepted, each the worst of its kind. */
function timeWorst(): void {
  const list = Array.from({ length: 1000 }, (_, at) => at + 1);
  const input: ConditionInput = {
    subject: { type: 'user', id: '7', attributes: { list }, properties: {} },
    resource: { type: 'document', id: '1', properties: { list: [...list] } },
    context: { list, other: [...list], big: 'x'.repeat(4096) },
    action: 'documents:read',
    now: new Date(NOW),
  };
  const worst = {
    'a comprehension': 'context.list.all(a, a > 0 && a > -1 && a > -2)',
    'looking through lists': Array.from({ length: 24 }, () => '0 in context.list').join(' || '),
    'comparing lists': Array.from({ length: 24 }, () => 'context.list != context.other').join(' || '),
    'searching texts': Array.from({ length: 5 }, () => 'context.big.contains("xy")').join(' || '),
    'time zones': Array.from({ length: 5 }, () => 'now.getHours("Europe/Berlin") > 30').join(' || '),
  };
  print('\nthe worst condition', '');
  for (const [name, text] of Object.entries(worst)) {
    const compiled = compileCondition(text);
    if (compiled.kind === 'problem') throw new Error(`${name}: ${compiled.description}`);
    time(name, () => compiled.condition.evaluate(input), 200);
  }
}

timeWorst();
timePaths(10_000);
timePaths(1_000_000);
