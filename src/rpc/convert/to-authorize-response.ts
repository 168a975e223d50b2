import { create } from '@bufbuild/protobuf';
import { type AuthorizeResponse, ExplanationSchema } from '../../../gen/sallyport/v1/authorization_pb.ts';
import type { AuthorizeOutcome, Decision } from '../../domain/decision/use-cases.ts';
import { createRecentlyUsed } from '../../platform/recently-used.ts';
import { reusable } from '../encode-message.ts';
import { sameDecision } from './same-decision.ts';
import { toDecision } from './to-decision.ts';

/**
 * The decision and the state it was made from. Who asks often about somebody is often told the same: the same message tells it then, which
 * is encoded already. Each question is decided anew before, and whatever differs is another message.
 */
export function toAuthorizeResponse(outcome: AuthorizeOutcome): AuthorizeResponse {
  const { decision, revision, explanation } = outcome;
  if (explanation !== undefined) {
    return { ...responseOf(outcome), explanation: create(ExplanationSchema, { steps: [...explanation] }) };
  }
  if (!isShort(decision)) return responseOf(outcome);
  const about = `${decision.subject?.id} ${decision.grantIds?.[0]}`;
  const last = lastTold.get(about);
  if (last === undefined || last.revision !== revision || !sameDecision(last.decision, decision)) {
    lastTold.set(about, { decision, revision, message: undefined });
    return responseOf(outcome);
  }
  last.message ??= reusable(responseOf(outcome));
  return last.message;
}

interface Told {
  readonly decision: Decision;
  readonly revision: string;
  /** Made when it is told for the second time: to keep what is told once would cost more than all else here. */
  message: AuthorizeResponse | undefined;
}

/** By subject and grant. Few, so that what is not asked again is let go of while that is cheap: within a collection of young objects or two. */
const lastTold = createRecentlyUsed<Told>(1000);

/** What names more than one grant is rare, and may be long. */
function isShort({ grantIds, ruleNames, missingContext }: Decision): boolean {
  return (grantIds === undefined || grantIds.length === 1) && ruleNames === undefined && missingContext === undefined;
}

/** Written out as the plain object that a proto3 message is: see toDecision. */
function responseOf({ decision, revision }: AuthorizeOutcome): AuthorizeResponse {
  return {
    $typeName: 'sallyport.v1.AuthorizeResponse',
    decision: toDecision(decision),
    revision,
    explanation: undefined,
  };
}
