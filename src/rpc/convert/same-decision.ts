import { sameSubject } from '../../domain/decision/grant.ts';
import type { Decision } from '../../domain/decision/use-cases.ts';
import type { SubjectRef } from '../../domain/subject.ts';

/** Whether two decisions tell the same, so that the message that told the one may tell the other. */
export function sameDecision(one: Decision, other: Decision): boolean {
  return (
    one.effect === other.effect &&
    one.reason === other.reason &&
    one.expiresAt === other.expiresAt &&
    isSameSubject(one.subject, other.subject) &&
    areSame(one.grantIds, other.grantIds) &&
    areSame(one.ruleNames, other.ruleNames) &&
    areSame(one.missingContext, other.missingContext)
  );
}

function isSameSubject(one: SubjectRef | undefined, other: SubjectRef | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && sameSubject(one, other));
}

function areSame(some: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  if (some === undefined || others === undefined) return some === others;
  return some.length === others.length && some.every((each, index) => each === others[index]);
}
