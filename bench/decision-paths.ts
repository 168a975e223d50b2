import { type ConditionInput, compileCondition } from '../src/domain/decision/condition.ts';
import { createDecisionIndex } from '../src/domain/decision/create-decision-index.ts';
import type { DecisionQuestion } from '../src/domain/decision/decision-index.ts';
import { encodePolicyEntry, type StoredChange } from '../src/domain/decision/policy-log.ts';
import type { Grant, Policy } from '../src/domain/decision/use-cases.ts';
import { DomainError } from '../src/domain/errors.ts';

// `node --expose-gc bench/decision-paths.ts [grants...]`: what one decision inside the process costs by what it takes (a role, a condition,
// groups), on 10,000, 100,000 and 1,000,000 grants; their memory, one more write, restoring them; and the worst condition that is accepted.
// Targets: a role under 1 us, a condition or three levels of groups under 5 us, under 400 bytes per grant, a write under 5 ms, a restore under
// 5 s with stops under 20 ms, the worst condition under 1 ms.
//
// Subjects and resources of the random questions are fresh strings, read from bytes for each decision as the codec reads them from the
// wire, so their hash is not known yet; what reading alone takes is measured beside it and taken off. Decisions in CPU time of the main
// thread, the best of several rounds, because the machine is shared.

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

/** CPU time of this thread, in microseconds. */
function cpu(): number {
  const { user: own, system } = process.threadCpuUsage();
  return own + system;
}

/** In microseconds, the best of seven. */
function measured(run: (round: number) => unknown, rounds = ROUNDS): number {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 7; attempt += 1) {
    const begin = cpu();
    for (let round = 0; round < rounds; round += 1) run(round);
    best = Math.min(best, (cpu() - begin) / rounds);
  }
  return best;
}

function time(name: string, run: (round: number) => unknown, rounds = ROUNDS): void {
  print(name, `${measured(run, rounds).toFixed(2)} us`);
}

/** Bytes in use after a collection; undefined without --expose-gc. */
function memory(): number | undefined {
  if (globalThis.gc === undefined) return undefined;
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const WIDTH = 32;

/** Questions of random users about their documents, each made from bytes when it is asked for. */
function wireQuestions(count: number): (round: number) => DecisionQuestion {
  const bytes = Buffer.alloc(2 * WIDTH * ROUNDS);
  const lengths = new Uint8Array(2 * ROUNDS);
  for (let at = 0; at < ROUNDS; at += 1) {
    // A step that is prime to any round count goes through all of them in an order that no cache foresees.
    const who = (at * 104_729) % count;
    lengths[2 * at] = bytes.write(user(who).id, 2 * at * WIDTH, 'latin1');
    lengths[2 * at + 1] = bytes.write(document(who).id, (2 * at + 1) * WIDTH, 'latin1');
  }
  const text = (at: number): string => bytes.toString('latin1', at * WIDTH, at * WIDTH + (lengths[at] ?? 0));
  return (round) => ({
    subject: { type: 'user', id: text(2 * round) },
    resource: { type: 'document', id: text(2 * round + 1) },
    permission: 'documents:read',
  });
}

function timePaths(count: number): void {
  print(`\n${count} grants`, '');
  const before = memory();
  const index = filled(count);
  const after = memory();
  if (before !== undefined && after !== undefined) {
    print('memory of a grant', `${((after - before) / count).toFixed(0)} bytes`);
  }
  const question = (subject: object, resource: object, more: object = {}): DecisionQuestion =>
    ({ subject, resource, permission: 'documents:read', ...more }) as DecisionQuestion;
  const expectAllow = (asked: DecisionQuestion): DecisionQuestion => {
    const { effect, reason } = index.decide(asked, NOW);
    if (effect !== 'allow') throw new Error(`not allowed: ${reason}`);
    return asked;
  };
  const one = expectAllow(question(user(5), document(5)));
  const wire = wireQuestions(count);
  expectAllow(wire(ROUNDS - 1));
  const conditional = expectAllow(question(user('c'), document('c'), { resourceProperties: { team: 'a' } }));
  const unanswered = question(user('c'), document('c'));
  const grouped = expectAllow(question(user('g'), document('g')));
  time('a role, one subject', () => index.decide(one, NOW));
  const reading = measured(wire);
  const whole = measured((round) => index.decide(wire(round), NOW));
  print(
    'a role, a random subject each time',
    `${(whole - reading).toFixed(2)} us (and ${reading.toFixed(2)} to read it)`,
  );
  time('a condition', () => index.decide(conditional, NOW));
  time('a condition whose attribute is missing', () => index.decide(unanswered, NOW));
  time('three levels of groups', () => index.decide(grouped, NOW));
  timeSteps([...index.snapshot()], count);
}

/** How often a restore and the writes after it are repeated; each step counts as its fastest. */
const REPEATS = 3;
const WRITES = 20_000;

/**
 * A restore chunk by chunk, then as many writes of one grant as make every table grow. Single steps are too short for the processor's own
 * clock, so this is elapsed time; and what other processes take away falls on another step each time.
 */
function timeSteps(chunks: readonly string[], count: number): void {
  const restores = new Array<number>(chunks.length).fill(Number.POSITIVE_INFINITY);
  const writes = new Array<number>(WRITES).fill(Number.POSITIVE_INFINITY);
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const index = createDecisionIndex('default', POLICY);
    const timed = (times: number[], at: number, step: () => void): void => {
      const begin = performance.now();
      step();
      times[at] = Math.min(times[at] ?? 0, performance.now() - begin);
    };
    for (const [at, chunk] of chunks.entries()) timed(restores, at, () => index.restore(chunk));
    for (let at = 0; at < WRITES; at += 1) {
      const subject = user(count + at);
      const grant = { id: `w${at}`, subject, what: viewer, resource: document(count + at), effect: 'allow' } as const;
      const body = encodePolicyEntry({ kind: 'grants', author: 'a', changes: [{ kind: 'put', grant }] });
      timed(writes, at, () => index.apply({ revision: index.revision + 1, at: 0, body }));
    }
  }
  const sum = restores.reduce((total, each) => total + each, 0);
  const longest = (times: readonly number[]): string =>
    times.reduce((most, each) => Math.max(most, each), 0).toFixed(3);
  print('restored', `${sum.toFixed(0)} ms, at most ${longest(restores)} ms at a time`);
  print('one grant more', `${longest(writes)} ms at most, of ${WRITES}`);
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
    try {
      time(name, () => compiled.condition.evaluate(input), 200);
    } catch (error) {
      // What it reads is more than one decision may take: it is never answered.
      if (!(error instanceof DomainError)) throw error;
      print(name, error.message);
    }
  }
}

timeWorst();
const sizes = process.argv.slice(2).map(Number);
for (const size of sizes.length > 0 ? sizes : [10_000, 100_000, 1_000_000]) timePaths(size);
