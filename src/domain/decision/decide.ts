import { limits } from '../limits.ts';
import type { ResourceRef } from '../subject.ts';
import type { DecisionQuestion } from './decision-index.ts';
import { DecisionRequest, type DecisionState } from './decision-request.ts';
import type { DecisionWork } from './decision-work.ts';
import { type EffectiveSubject, effectiveSubjects, tooFar } from './effective-subjects.ts';
import { WHOLE_TENANT } from './grant-table.ts';
import { patternMatches } from './permission.ts';
import { deny, Tally } from './tally.ts';
import type { Decision } from './use-cases.ts';
import { INCLUDES, type PermissionMatch, UNKNOWN_ROLE } from './what-table.ts';

// The algorithm: the grants to the subject, and to the sets it is in, on the whole tenant, on the resource and on what that lies in,
// and the rules of the policy; any deny among them that counts wins, else any allow, else the answer is no. What has expired does not
// count. What is missing is denied (architecture.md "Fail-closed table").

/**
 * `now` is epoch ms; `work` is what the decisions of one call share. Throws LIMIT_EXCEEDED where groups, parents or a condition's
 * lists go too far, or all of it takes too much: never a plain answer then.
 */
export function decide(state: DecisionState, question: DecisionQuestion, now: number, work?: DecisionWork): Decision {
  const { grants } = state;
  const request = new DecisionRequest(state, question, now, work);
  if (request.isDisabled()) return deny(question, 'SUBJECT_DISABLED');
  const match = grants.whats.match(question.permission);
  if (question.scopes !== undefined && !withinScopes(question.scopes, match.segments)) {
    return deny(question, 'OUT_OF_SCOPE');
  }
  const tally = new Tally();
  const subjects = effectiveSubjects(request);
  const resources = effectiveResources(request);
  const reachesTenant = !isGuarded(state, question.resource);
  for (const subject of subjects) {
    request.work.spend(1 + resources.length);
    gather(request, subject, WHOLE_TENANT, reachesTenant, match, tally);
    for (const resource of resources) gather(request, subject, resource, true, match, tally);
  }
  if (request.contextual.length > 0) gatherContextual(request, subjects, resources, reachesTenant, match, tally);
  if (match.rules.length > 0) gatherRules(request, subjects, reachesTenant, match, tally);
  const decision = tally.decision(question, () => grants.whats.isNamed(match));
  return request.askedTime ? { ...decision, expiresAt: now } : decision;
}

/** Subjects that a search goes through in one unit of work. */
const SEARCHED_PER_UNIT = 16;

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

/** The resource and what it lies in, innermost first; nothing for a question about the whole tenant. */
export function effectiveResources(request: DecisionRequest): readonly number[] {
  if (request.what === 0) return [];
  const { nodes } = request.state.grants;
  const found = [request.what];
  for (let parent = nodes.parentOf(request.what); parent !== 0; parent = nodes.parentOf(parent)) {
    if (found.length > limits.resourceDepth) {
      tooFar('resourceDepth', `resources lie in each other over more than ${limits.resourceDepth} levels`);
    }
    found.push(parent);
  }
  return found;
}

function gather(
  request: DecisionRequest,
  by: EffectiveSubject,
  resource: number,
  allowsReach: boolean,
  match: PermissionMatch,
  tally: Tally,
): void {
  const { grants } = request.state;
  for (let slot = request.firstOf(by.node, resource); slot !== 0; slot = grants.nextOf(slot, by.node, resource)) {
    request.work.spend(1);
    const expiry = grants.expiryOf(slot);
    if (expiry !== 0 && expiry <= request.now) continue;
    const isDeny = grants.isDeny(slot);
    if (!counts(grants.whats.state(match, grants.whatOf(slot)), isDeny, allowsReach)) continue;
    tally.add('grant', grants.idOf(slot), isDeny, by, expiry, request.truthOf(grants.conditionOf(slot)));
  }
}

function gatherContextual(
  request: DecisionRequest,
  subjects: readonly EffectiveSubject[],
  resources: readonly number[],
  reachesTenant: boolean,
  match: PermissionMatch,
  tally: Tally,
): void {
  const { whats } = request.state.grants;
  for (const [index, { grant, subject, resource }] of request.contextual.entries()) {
    request.work.spend(1 + subjects.length / SEARCHED_PER_UNIT);
    if (grant.expiresAt !== undefined && grant.expiresAt <= request.now) continue;
    if (resource !== -1 && !resources.includes(resource)) continue;
    const by = subjects.find(({ node }) => node === subject);
    const isDeny = grant.effect === 'deny';
    if (by === undefined || !counts(whats.stateOf(match, grant.what), isDeny, resource !== -1 || reachesTenant))
      continue;
    tally.add('grant', `contextual_grants[${index}]`, isDeny, by, grant.expiresAt ?? 0, true);
  }
}

function gatherRules(
  request: DecisionRequest,
  subjects: readonly EffectiveSubject[],
  reachesTenant: boolean,
  match: PermissionMatch,
  tally: Tally,
): void {
  for (const { rule, deny: isDeny, subject, condition } of match.rules) {
    request.work.spend(1 + subjects.length / SEARCHED_PER_UNIT);
    if (rule.resourceType !== undefined && rule.resourceType !== request.question.resource?.type) continue;
    const by = subject === 0 ? subjects[0] : subjects.find(({ node }) => node === subject);
    if (by === undefined || !counts(INCLUDES, isDeny, reachesTenant)) continue;
    tally.add('rule', rule.name, isDeny, by, 0, request.truthOf(condition));
  }
}

/** A deny of a role that is not there applies to everything: nobody can say what it was meant for. */
function counts(state: number, isDeny: boolean, allowsReach: boolean): boolean {
  return isDeny ? state === INCLUDES || state === UNKNOWN_ROLE : state === INCLUDES && allowsReach;
}
