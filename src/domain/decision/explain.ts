import { formatResource, formatSubject } from '../subject.ts';
import { decide, effectiveResources } from './decide.ts';
import type { DecisionQuestion } from './decision-index.ts';
import { DecisionRequest, type DecisionState } from './decision-request.ts';
import { DecisionWork, MAX_CALL_WORK } from './decision-work.ts';
import { type EffectiveSubject, effectiveSubjects } from './effective-subjects.ts';
import { explainMisses } from './explain-misses.ts';
import { grantText, roleName, ruleText, whatText } from './explain-text.ts';
import type { ContextualGrant, Decision, Grant } from './use-cases.ts';
import { INCLUDES } from './what-table.ts';

// Why a decision is what it is, for people: the path that allowed or denied, or for a plain no the nearest misses and what
// would have to be granted. Made only when asked for.

const MAX_STEPS = 20;

/** `now` is epoch ms. Throws what `decide` throws; looking for the path may take as much again as the decision itself. */
export function explain(state: DecisionState, question: DecisionQuestion, now: number): readonly string[] {
  const work = new DecisionWork(MAX_CALL_WORK);
  const decision = decide(state, question, now, work);
  const found: string[] = [];
  for (const step of steps(new DecisionRequest(state, question, now, work), decision)) {
    if (!found.includes(step)) found.push(step);
    if (found.length === MAX_STEPS) break;
  }
  return found;
}

function* steps(request: DecisionRequest, decision: Decision): Generator<string> {
  const { question } = request;
  const who = formatSubject(question.subject);
  switch (decision.reason) {
    case 'GRANTED':
    case 'DENIED_BY_RULE':
      yield* decidedBy(request, decision);
      return;
    case 'CONDITION_ERROR':
      yield* decidedBy(request, decision);
      yield `a deny whose condition cannot be answered applies; ${missingText(decision)}`;
      return;
    case 'CONTEXT_MISSING':
      yield* explainMisses(request);
      yield `an allow whose condition cannot be answered does not apply; ${missingText(decision)}`;
      return;
    case 'SUBJECT_DISABLED':
      yield `${who} is disabled: nothing it was granted counts`;
      return;
    case 'OUT_OF_SCOPE':
      yield `the credential's scopes (${(question.scopes ?? []).join(', ') || 'none'}) do not include ${question.permission}`;
      return;
    case 'UNKNOWN_PERMISSION':
      yield `no role or rule of the policy and no grant names ${question.permission}`;
      return;
    default:
      yield* explainMisses(request);
      yield `to allow it, grant ${who} a role or permission that includes ${wish(question)}`;
  }
}

function missingText({ missingContext = [] }: Decision): string {
  return missingContext.length === 0 ? 'it takes another release' : `it needs ${missingContext.join(', ')}`;
}

function wish({ permission, resource }: DecisionQuestion): string {
  return resource === undefined ? permission : `${permission} on ${formatResource(resource)}`;
}

function* decidedBy(request: DecisionRequest, { grantIds = [], ruleNames = [] }: Decision): Generator<string> {
  const { grants } = request.state;
  const subjects = effectiveSubjects(request);
  for (const id of grantIds) {
    const slot = grants.slotOf(id);
    const stored = grants.at(slot)?.grant;
    if (stored !== undefined) {
      yield* pathOf(request, subjects, grants.subjectOf(slot), grantText(stored), stored);
      continue;
    }
    const numbered = request.contextual[Number(/^contextual_grants\[(\d+)\]$/.exec(id)?.[1] ?? -1)];
    if (numbered === undefined) continue;
    yield* pathOf(request, subjects, numbered.subject, `${grantText(numbered.grant)} by ${id}`, numbered.grant);
  }
  const { rules } = grants.whats.match(request.question.permission);
  for (const { rule, subject } of rules) {
    if (!ruleNames.includes(rule.name)) continue;
    if (subject !== 0)
      yield* membership(
        request,
        subjects.find(({ node }) => node === subject),
      );
    yield ruleText(rule);
  }
}

/** How the subject comes to the grant, the grant, how its resource is reached, and how its role comes to the permission. */
function* pathOf(
  request: DecisionRequest,
  subjects: readonly EffectiveSubject[],
  holder: number,
  said: string,
  grant: Grant | ContextualGrant,
): Generator<string> {
  yield* membership(
    request,
    subjects.find(({ node }) => node === holder),
  );
  yield said;
  yield* place(request, grant);
  yield* inclusion(request, grant);
}

/** Outermost last: `user:7 holds role member on group:eng by grant g1`. */
function membership(request: DecisionRequest, held: EffectiveSubject | undefined): readonly string[] {
  const { grants } = request.state;
  const found: string[] = [];
  for (let at = held; at?.from !== undefined; at = at.from) {
    const stored = at.via > 0 ? grants.at(at.via)?.grant : undefined;
    const brought = at.via < 0 ? request.contextual[-1 - at.via]?.grant : undefined;
    if (stored !== undefined) found.unshift(grantText(stored));
    if (brought !== undefined) found.unshift(`${grantText(brought)} by contextual_grants[${-1 - at.via}]`);
  }
  return found;
}

function* place(request: DecisionRequest, { resource }: Grant | ContextualGrant): Generator<string> {
  const { nodes } = request.state.grants;
  if (resource === undefined) return;
  const chain = effectiveResources(request);
  const end = chain.indexOf(nodes.find(resource.type, resource.id));
  for (let at = 0; at < end; at += 1) {
    const [inner = 0, outer = 0] = chain.slice(at, at + 2);
    yield `${formatResource(nodes.nameOf(inner))} lies in ${formatResource(nodes.nameOf(outer))}`;
  }
}

function* inclusion({ state, question }: DecisionRequest, grant: Grant | ContextualGrant): Generator<string> {
  if (grant.what.kind === 'permission') {
    if (grant.what.permission !== question.permission) yield `${grant.what.permission} includes ${question.permission}`;
    return;
  }
  const { whats } = state.grants;
  const match = whats.match(question.permission);
  let role = whats.find(grant.what);
  // The first parent that includes it, level by level; depth 32 ends it.
  while (!whats.includesItself(match, role)) {
    const parent = whats.parentsOf(role).find((number) => whats.state(match, number) === INCLUDES);
    if (parent === undefined) {
      yield `${whatText(grant)} is not in the policy, so a deny of it covers everything`;
      return;
    }
    yield `role ${roleName(state, role)} includes role ${roleName(state, parent)}`;
    role = parent;
  }
  yield `role ${roleName(state, role)} includes ${question.permission}`;
}
