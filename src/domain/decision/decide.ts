import type { ResourceRef } from '../subject.ts';
import type { DecisionQuestion } from './decision-index.ts';
import { type GrantTable, WHOLE_TENANT } from './grant-table.ts';
import { patternMatches } from './permission.ts';
import type { Decision, DecisionReason } from './use-cases.ts';
import { INCLUDES, UNKNOWN_ROLE } from './what-table.ts';

// The algorithm: the grants of the subject on the whole tenant and on the resource; any deny among them that counts wins, else any
// allow, else the answer is no. Grants that have expired do not count. Nothing here throws for want of something: what is missing
// is denied (architecture.md "Fail-closed table").

/** Grant ids named by one decision. */
const MAX_NAMED_GRANTS = 16;

/** What a decision is made from. */
export interface DecisionState {
  readonly grants: GrantTable;
  /** The one resource that allows on the whole tenant do not reach; denies do. */
  readonly guarded: ResourceRef | undefined;
}

/** What was found on the way. Times are epoch ms, Infinity for good. */
interface Tally {
  allowUntil: number;
  denyUntil: number;
  allows: string[] | undefined;
  denies: string[] | undefined;
}

/** `now` is epoch ms. */
export function decide(state: DecisionState, question: DecisionQuestion, now: number): Decision {
  const { grants } = state;
  const { subject, resource } = question;
  // A set such as `group:eng#member` is nobody who could ask; it must not pass for the group itself.
  const plain = subject.relation === undefined || subject.relation === '';
  const who = plain ? grants.nodes.find(subject.type, subject.id) : 0;
  if (who !== 0 && grants.nodes.isDisabled(who)) return deny(question, 'SUBJECT_DISABLED');
  const match = grants.whats.match(question.permission);
  if (question.scopes !== undefined && !withinScopes(question.scopes, match.segments)) {
    return deny(question, 'OUT_OF_SCOPE');
  }
  const tally: Tally = { allowUntil: 0, denyUntil: 0, allows: undefined, denies: undefined };
  if (who !== 0) {
    gather(state, who, WHOLE_TENANT, !isGuarded(state, resource), match, now, tally);
    const what = resource === undefined ? 0 : grants.nodes.find(resource.type, resource.id);
    if (what !== 0) gather(state, who, what, true, match, now, tally);
  }
  if (tally.denies !== undefined) return denied(question, tally);
  if (tally.allows === undefined) {
    return deny(question, grants.whats.isNamed(match) ? 'NO_MATCH' : 'UNKNOWN_PERMISSION');
  }
  const until = Math.min(tally.allowUntil, question.credentialExpiresAt ?? Number.POSITIVE_INFINITY);
  return {
    effect: 'allow',
    reason: 'GRANTED',
    subject,
    grantIds: tally.allows,
    ...(Number.isFinite(until) ? { expiresAt: until } : {}),
  };
}

/** Whether some scope matches. Scopes that are no permission patterns (`openid`) match nothing. */
export function withinScopes(scopes: readonly string[], segments: readonly string[]): boolean {
  return scopes.some((scope) => patternMatches(scope, segments));
}

export function isGuarded(state: DecisionState, resource: ResourceRef | undefined): boolean {
  const { guarded } = state;
  return (
    resource !== undefined && guarded !== undefined && resource.type === guarded.type && resource.id === guarded.id
  );
}

function gather(
  state: DecisionState,
  who: number,
  resource: number,
  allowsReach: boolean,
  match: ReturnType<GrantTable['whats']['match']>,
  now: number,
  tally: Tally,
): void {
  const { grants } = state;
  for (let slot = grants.firstOf(who, resource); slot !== 0; slot = grants.nextOf(slot, who, resource)) {
    const expiry = grants.expiryOf(slot);
    if (expiry !== 0 && expiry <= now) continue;
    const until = expiry === 0 ? Number.POSITIVE_INFINITY : expiry;
    const includes = grants.whats.state(match, grants.whatOf(slot));
    if (grants.isDeny(slot)) {
      // A deny of a role that is not there applies to everything: nobody can say what it was meant for.
      if (includes !== INCLUDES && includes !== UNKNOWN_ROLE) continue;
      tally.denyUntil = Math.max(tally.denyUntil, until);
      tally.denies = named(tally.denies, grants.idOf(slot));
    } else if (includes === INCLUDES && allowsReach) {
      tally.allowUntil = Math.max(tally.allowUntil, until);
      tally.allows = named(tally.allows, grants.idOf(slot));
    }
  }
}

function named(ids: string[] | undefined, id: string): string[] {
  if (ids === undefined) return [id];
  if (ids.length < MAX_NAMED_GRANTS) ids.push(id);
  return ids;
}

/** The answer changes by itself only if, when the last deny ends, an allow is still there. */
function denied(question: DecisionQuestion, tally: Tally): Decision {
  const allowUntil = Math.min(tally.allowUntil, question.credentialExpiresAt ?? Number.POSITIVE_INFINITY);
  return {
    effect: 'deny',
    reason: 'DENIED_BY_RULE',
    subject: question.subject,
    grantIds: tally.denies,
    ...(tally.denyUntil < allowUntil ? { expiresAt: tally.denyUntil } : {}),
  };
}

function deny(question: DecisionQuestion, reason: DecisionReason): Decision {
  return { effect: 'deny', reason, subject: question.subject };
}
