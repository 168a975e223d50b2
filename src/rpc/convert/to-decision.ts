import { create } from '@bufbuild/protobuf';
import {
  type Decision as DecisionMessage,
  DecisionSchema,
  Effect,
  DecisionReason as Reason,
} from '../../../gen/sallyport/v1/decision_pb.ts';
import type { Subject } from '../../../gen/sallyport/v1/subject_pb.ts';
import type { BatchAnswer, Decision } from '../../domain/decision/use-cases.ts';
import type { SubjectRef } from '../../domain/subject.ts';
import { codeOfReason } from '../error-table.ts';
import { toTimestamp } from './to-timestamp.ts';

/** ItemError.message is at most this long. */
const MESSAGE_CHARS = 1024;

/**
 * Only 'allow' becomes ALLOW: whatever else a decision holds is a deny. Written out as the plain object that a proto3 message is, because
 * `create` costs as much as the decision.
 */
export function toDecision(decision: Decision): DecisionMessage {
  const { effect, reason, subject, grantIds, ruleNames, missingContext, expiresAt } = decision;
  return {
    $typeName: 'sallyport.v1.Decision',
    effect: effect === 'allow' ? Effect.ALLOW : Effect.DENY,
    reason: Reason[reason],
    subject: toSubject(subject),
    grantIds: grantIds === undefined ? [] : [...grantIds],
    missingContext: missingContext === undefined ? [] : [...missingContext],
    expireTime: toTimestamp(expiresAt),
    error: undefined,
    ruleNames: ruleNames === undefined ? [] : [...ruleNames],
  };
}

export function toBatchDecision(answer: BatchAnswer): DecisionMessage {
  if (answer.kind === 'decision') return toDecision(answer.decision);
  const message = answer.message.slice(0, MESSAGE_CHARS);
  return create(DecisionSchema, {
    effect: Effect.DENY,
    error: { code: codeOfReason(answer.reason), reason: answer.reason, message },
  });
}

export function toSubject(subject: SubjectRef | undefined): Subject | undefined {
  if (subject === undefined) return undefined;
  const { type, id, relation = '' } = subject;
  return { $typeName: 'sallyport.v1.Subject', type, id, relation };
}
