import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionIndex } from '../../../src/domain/decision/create-decision-index.ts';
import type { DecisionIndex, DecisionQuestion } from '../../../src/domain/decision/decision-index.ts';
import { DecisionWork, MAX_CALL_WORK, MAX_DECISION_WORK } from '../../../src/domain/decision/decision-work.ts';
import { encodePolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import type { Grant, Policy } from '../../../src/domain/decision/use-cases.ts';
import { apply, callBy, grantTo, replicaWorld, write } from '../../support/replica-world.ts';

// What grants and conditions can make one decision, or a call of many, cost.

const NOW = 1_000_000;
const MEMBER = { kind: 'role', role: 'member' } as const;
const POLICY: Policy = {
  roles: [
    { name: 'reader', permissions: ['documents:read'], inherits: [] },
    { name: 'member', permissions: [], inherits: [] },
  ],
};
const QUESTION: DecisionQuestion = { subject: { type: 'user', id: '7' }, permission: 'documents:read' };
const LIMIT = { reason: 'LIMIT_EXCEEDED', metadata: { limit: 'decisionWork' } };

function indexOf(grants: readonly Grant[]): DecisionIndex {
  const index = createDecisionIndex('default', POLICY);
  const changes = grants.map((grant) => ({ kind: 'put', grant }) as const);
  index.apply({
    revision: 1,
    at: 1,
    body: encodePolicyEntry({ kind: 'policy', author: 'a', version: 1, policy: POLICY }),
  });
  index.apply({ revision: 2, at: 2, body: encodePolicyEntry({ kind: 'grants', author: 'a', changes }) });
  return index;
}

function group(id: string) {
  return { type: 'group', id, relation: 'member' };
}

/** Groups in each other, each over as many memberships as `ways`, each of which lacks an attribute of its own. */
function chain(levels: number, ways: number): Grant[] {
  const grants: Grant[] = [];
  for (let level = 0; level < levels; level += 1) {
    for (let way = 0; way < ways; way += 1) {
      grants.push({
        id: `m${level}_${way}`,
        subject: level === 0 ? QUESTION.subject : group(`g${level - 1}`),
        what: MEMBER,
        effect: 'allow',
        resource: { type: 'group', id: `g${level}` },
        condition: `context.a${level}_${way} == "x"`,
      });
    }
  }
  const what = { kind: 'role', role: 'reader' } as const;
  return [...grants, { id: 'last', subject: group(`g${levels - 1}`), what, effect: 'allow' }];
}

function readers(count: number, condition: (at: number) => string): Grant[] {
  const what = { kind: 'role', role: 'reader' } as const;
  const { subject } = QUESTION;
  return Array.from({ length: count }, (_, at) => {
    return { id: `r${at}`, subject, what, effect: 'allow', condition: condition(at) };
  });
}

const through = (at: number) => `context.l.exists(x, x == "q${at}" || x == "p" || x == "s")`;
const LONG = { l: Array.from({ length: 1000 }, () => 'a') };

test('attributes missing on many ways through many groups do not multiply', () => {
  const work = new DecisionWork(MAX_CALL_WORK);
  const { reason, missingContext = [] } = indexOf(chain(25, 30)).decide(QUESTION, NOW, work);
  assert.equal(reason, 'CONTEXT_MISSING');
  assert.equal(missingContext.length, 20);
  // Each membership once: 750 of them, whose conditions come to less than 200 each.
  work.begin();
  assert.doesNotThrow(() => work.spend(MAX_DECISION_WORK - 1));
});

test('a decision whose conditions take too much is LIMIT_EXCEEDED, however few grants', () => {
  const index = indexOf(readers(200, through));
  assert.throws(() => index.decide({ ...QUESTION, context: LONG }, NOW), LIMIT);
  assert.equal(index.decide({ ...QUESTION, context: { l: ['a', 's'] } }, NOW).reason, 'GRANTED');
});

test('a thousand small conditions are answered', () => {
  const index = indexOf(readers(1000, (at) => `subject.id == resource.properties.owner || context.n == ${at}`));
  const question = { ...QUESTION, resourceProperties: { owner: 'somebody' }, context: { n: 999 } };
  assert.equal(index.decide(question, NOW).reason, 'GRANTED');
});

test('explaining a denial is charged for the grants that it looks at', () => {
  const others = Array.from({ length: 900 }, (_, at): Grant => {
    const resource = { type: 'document', id: `${at}` };
    return { id: `o${at}`, subject: QUESTION.subject, what: MEMBER, resource, effect: 'allow' };
  });
  const memberships = (count: number): Grant[] =>
    Array.from({ length: count }, (_, at): Grant[] => {
      const resource = { type: 'group', id: `${at}` };
      const condition = through(at);
      return [
        { id: `m${at}`, subject: QUESTION.subject, what: MEMBER, resource, condition, effect: 'allow' },
        { id: `g${at}`, subject: group(`${at}`), what: { kind: 'role', role: 'reader' }, effect: 'allow' },
      ];
    }).flat();
  const question = { ...QUESTION, context: LONG };
  // 30 memberships take 13,000 units each, which leaves the decision nearly none.
  assert.throws(() => indexOf(memberships(31)).decide(question, NOW), LIMIT);
  assert.equal(indexOf([...others, ...memberships(30)]).decide(question, NOW).reason, 'NO_MATCH');
  assert.equal(indexOf(memberships(30)).explain(question, NOW).length, 1);
  assert.throws(() => indexOf([...others, ...memberships(30)]).explain(question, NOW), LIMIT);
});

test('decisions of one call share what they may take', () => {
  const index = indexOf(readers(25, through));
  const work = new DecisionWork(MAX_CALL_WORK);
  let answered = 0;
  assert.throws(() => {
    for (; answered < 100; answered += 1) index.decide({ ...QUESTION, context: LONG }, NOW, work);
  }, LIMIT);
  assert.ok(answered >= 4 && answered < 20, `${answered} were answered`);
});

test('a batch answers what it can; the items after that have their own error, and a thousand plain items none', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const conditional = Array.from({ length: 25 }, (_, at) =>
    grantTo('1', { resource: { type: 'document', id: '42' }, condition: through(at) }),
  );
  await write(replica, [...conditional, grantTo('2')]);
  const ask = async (id: string, count: number) => {
    const { answers } = await replica.decisions.batchAuthorize(callBy(), {
      tenant: 'default',
      atLeastRevision: '',
      items: Array.from({ length: count }, () => ({
        kind: 'question' as const,
        question: {
          principal: { kind: 'subject' as const, subject: { type: 'user', id } },
          permission: 'documents:read',
          resource: { type: 'document', id: '42' },
          context: LONG,
        },
      })),
    });
    return answers.map((answer) => (answer.kind === 'decision' ? answer.decision.reason : answer.reason));
  };
  const reasons = await ask('1', 50);
  const first = reasons.indexOf('LIMIT_EXCEEDED');
  assert.ok(first >= 4 && first < 20, `${first} were answered`);
  assert.deepEqual(new Set(reasons.slice(0, first)), new Set(['NO_MATCH']));
  assert.deepEqual(new Set(reasons.slice(first)), new Set(['LIMIT_EXCEEDED']));
  assert.deepEqual(new Set(await ask('2', 1000)), new Set(['GRANTED']));
});
