import type { Clock } from '../../platform/clock.ts';
import type { CallContext } from '../call.ts';
import type { Decision, Question } from '../decision/use-cases.ts';
import { formatResource, formatSubject } from '../subject.ts';
import type { AuditNotes } from './audit-buffer.ts';
import { decisionDenied } from './audit-events.ts';

// Denied decisions as events, bounded per second in this process, so that a service that asks in a loop writes no disk full. It hides no
// other service's denials either: half of the places are kept for the first denial of each.

/** Of all calling services together; further ones are counted as dropped. */
const MAX_PER_SECOND = 100;
/** Of one calling service. */
const MAX_PER_CALLER = 25;
/** From here on only callers are told of that had none in this second. */
const SHARED_PER_SECOND = 50;

export type NoteDenial = (
  call: CallContext,
  tenant: string,
  decision: Decision,
  question: Pick<Question, 'permission' | 'resource'> & Partial<Pick<Question, 'principal'>>,
) => void;

/** Never throws, never waits. */
export function createDenialNotes({ audit, clock }: { readonly audit: AuditNotes; readonly clock: Clock }): NoteDenial {
  const isKept = createShares(clock);
  return (call, tenant, decision, { permission, resource, principal }) => {
    if (!isKept(call.caller.name)) return audit.drop();
    const named = principal?.kind === 'subject' ? principal.subject : undefined;
    const { reason } = decision;
    // Of a tenant that is not there nobody can be known; asked about a deleted one, a service must not bring its users' names back.
    const isKnown = reason !== 'UNKNOWN_TENANT';
    const subject = isKnown ? (decision.subject ?? named) : undefined;
    const asked = isKnown && resource !== undefined ? formatResource(resource) : undefined;
    const isUser = resource?.type === 'user';
    const denied = {
      tenant,
      subject: subject === undefined ? undefined : formatSubject(subject),
      reason,
      permission,
      resource: isUser ? undefined : asked,
      resourceUser: isUser ? asked : undefined,
    };
    audit.note(decisionDenied(call, denied, clock.now()));
  };
}

/** Whether one more of this caller is told in this second. Holds at most MAX_PER_SECOND callers. */
function createShares(clock: Clock): (caller: string) => boolean {
  const kept = new Map<string, number>();
  let second = Number.NEGATIVE_INFINITY;
  let all = 0;
  return (caller) => {
    const now = Math.floor(clock.monotonic() / 1000);
    if (now !== second) {
      second = now;
      all = 0;
      kept.clear();
    }
    const own = kept.get(caller) ?? 0;
    if (own >= MAX_PER_CALLER || all >= (own === 0 ? MAX_PER_SECOND : SHARED_PER_SECOND)) return false;
    kept.set(caller, own + 1);
    all += 1;
    return true;
  };
}
