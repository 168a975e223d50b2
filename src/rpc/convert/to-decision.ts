import { create } from '@bufbuild/protobuf';
import {
  type Decision as DecisionMessage,
  DecisionSchema,
  Effect,
  DecisionReason as Reason,
} from '../../../gen/sallyport/v1/decision_pb.ts';
import { type Subject, SubjectSchema } from '../../../gen/sallyport/v1/subject_pb.ts';
import type { BatchAnswer, Decision } from '../../domain/decision/use-cases.ts';
import type { SubjectRef } from '../../domain/subject.ts';
import { codeOfReason } from '../error-table.ts';
import { toTimestamp } from './to-timestamp.ts';

/** ItemError.message is at most this long. */
const MESSAGE_CHARS = 1024;
const NONE: string[] = [];

/** Only 'allow' becomes ALLOW: whatever else a decision holds is a deny. */
export function toDecision(decision: Decision): DecisionMessage {
  const { effect, reason, subject, grantIds, missingContext, expiresAt } = decision;
  const message = create(DecisionSchema);
  message.effect = effect === 'allow' ? Effect.ALLOW : Effect.DENY;
  message.reason = Reason[reason];
  message.subject = toSubject(subject);
  message.grantIds = grantIds === undefined ? NONE : [...grantIds];
  message.missingContext = missingContext === undefined ? NONE : [...missingContext];
  message.expireTime = toTimestamp(expiresAt);
  return message;
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
  const message = create(SubjectSchema);
  message.type = subject.type;
  message.id = subject.id;
  message.relation = subject.relation ?? '';
  return message;
}
