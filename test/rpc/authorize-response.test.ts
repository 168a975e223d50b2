import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthorizeResponse } from '../../gen/sallyport/v1/authorization_pb.ts';
import { Effect, DecisionReason as Reason } from '../../gen/sallyport/v1/decision_pb.ts';
import type { AuthorizeOutcome, Decision } from '../../src/domain/decision/use-cases.ts';
import { toAuthorizeResponse } from '../../src/rpc/convert/to-authorize-response.ts';

const revision = 'r1';
/** A subject of each test's own: what was told is remembered beyond it. */
const allowOf = (id: string): Decision => {
  return { effect: 'allow', reason: 'GRANTED', subject: { type: 'user', id }, grantIds: ['g1'], expiresAt: 9_000 };
};

/** Told until it is told by a message that is kept. */
function kept(outcome: AuthorizeOutcome): AuthorizeResponse {
  toAuthorizeResponse(outcome);
  return toAuthorizeResponse(outcome);
}

test('from the second time on the same answer is told by the same message, any other by another', () => {
  const allow = allowOf('same');
  const once = toAuthorizeResponse({ decision: allow, revision });
  const twice = toAuthorizeResponse({ decision: { ...allow, grantIds: ['g1'] }, revision });
  assert.deepEqual(twice, once);
  assert.equal(toAuthorizeResponse({ decision: { ...allow, grantIds: ['g1'] }, revision }), twice);

  const others: readonly AuthorizeOutcome[] = [
    { decision: { ...allow, effect: 'deny', reason: 'DENIED_BY_RULE' }, revision },
    { decision: { ...allow, reason: 'NO_MATCH' }, revision },
    { decision: { ...allow, expiresAt: 9_001 }, revision },
    { decision: { ...allow, expiresAt: undefined }, revision },
    { decision: { ...allow, grantIds: ['g2'] }, revision },
    { decision: { ...allow, grantIds: ['g1', 'g2'] }, revision },
    { decision: { ...allow, grantIds: undefined }, revision },
    { decision: { ...allow, ruleNames: ['g1'] }, revision },
    { decision: { ...allow, missingContext: ['context.ip'] }, revision },
    { decision: { ...allow, subject: { type: 'service', id: 'same' } }, revision },
    { decision: { ...allow, subject: { type: 'user', id: 'same', relation: 'member' } }, revision },
    { decision: { ...allow, subject: undefined }, revision },
    { decision: allow, revision: 'r2' },
    { decision: allow, revision, explanation: ['user:same holds role viewer by grant g1'] },
  ];
  for (const other of others) {
    const told = kept(other);
    const { decision, explanation } = other;
    assert.equal(told.decision?.effect, decision.effect === 'allow' ? Effect.ALLOW : Effect.DENY);
    assert.equal(told.decision?.reason, Reason[decision.reason]);
    assert.equal(told.decision?.subject?.id, decision.subject?.id);
    assert.equal(told.decision?.subject?.type, decision.subject?.type);
    assert.equal(told.decision?.subject?.relation, decision.subject && (decision.subject.relation ?? ''));
    assert.deepEqual(told.decision?.grantIds, decision.grantIds ?? []);
    assert.deepEqual(told.decision?.ruleNames, decision.ruleNames ?? []);
    assert.deepEqual(told.decision?.missingContext, decision.missingContext ?? []);
    assert.equal(told.decision?.expireTime?.seconds, decision.expiresAt === undefined ? undefined : 9n);
    assert.equal(told.revision, other.revision);
    assert.deepEqual(told.explanation?.steps, explanation);
    assert.deepEqual(kept({ decision: allow, revision }), once, JSON.stringify(other));
  }
});

test('subjects whose names and grants run together are told apart', () => {
  const one = kept({ decision: { ...allowOf('a b'), grantIds: ['c'] }, revision });
  const other = kept({ decision: { ...allowOf('a'), grantIds: ['b c'] }, revision });
  assert.equal(one.decision?.subject?.id, 'a b');
  assert.equal(other.decision?.subject?.id, 'a');
  assert.deepEqual(other.decision?.grantIds, ['b c']);
});
