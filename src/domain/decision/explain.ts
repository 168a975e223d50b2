import { formatResource, formatSubject } from '../subject.ts';
import { type DecisionState, decide, isGuarded } from './decide.ts';
import type { DecisionQuestion } from './decision-index.ts';
import { isLive } from './grant.ts';
import type { Decision, Grant } from './use-cases.ts';
import { INCLUDES } from './what-table.ts';

// Why a decision is what it is, for people: the path that allowed or denied, or for a plain no the nearest misses and what
// would have to be granted. Made only when asked for; it looks at no more than 1,000 grants.

const MAX_STEPS = 20;
const MAX_LOOKED_AT = 1000;

/** `now` is epoch ms. */
export function explain(state: DecisionState, question: DecisionQuestion, now: number): readonly string[] {
  const decision = decide(state, question, now);
  return [...steps(state, question, decision, now)].slice(0, MAX_STEPS);
}

function* steps(state: DecisionState, question: DecisionQuestion, decision: Decision, now: number): Generator<string> {
  const who = formatSubject(question.subject);
  const wish =
    question.resource === undefined
      ? question.permission
      : `${question.permission} on ${formatResource(question.resource)}`;
  switch (decision.reason) {
    case 'GRANTED':
    case 'DENIED_BY_RULE':
      for (const id of decision.grantIds ?? []) {
        const grant = state.grants.at(state.grants.slotOf(id))?.grant;
        if (grant !== undefined) yield* pathOf(state, question, grant);
      }
      return;
    case 'SUBJECT_DISABLED':
      yield `${who} is disabled: nothing it was granted counts`;
      return;
    case 'OUT_OF_SCOPE':
      yield `the credential's scopes (${(question.scopes ?? []).join(', ') || 'none'}) do not include ${question.permission}`;
      return;
    case 'UNKNOWN_PERMISSION':
      yield `no role of the policy and no grant names ${question.permission}`;
      return;
    default:
      yield* misses(state, question, now);
      yield `to allow it, grant ${who} a role or permission that includes ${wish}`;
  }
}

/** `user:7 holds role editor on document:42 by grant g1`, then how the role comes to the permission. */
function* pathOf(state: DecisionState, question: DecisionQuestion, grant: Grant): Generator<string> {
  const verb = grant.effect === 'deny' ? 'is denied' : grant.what.kind === 'role' ? 'holds' : 'is granted';
  yield `${formatSubject(grant.subject)} ${verb} ${whatText(grant)}${placeText(grant)} by grant ${grant.id}${untilText(grant)}`;
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

/** Allows of the subject that fail in one respect only. */
function* misses(state: DecisionState, question: DecisionQuestion, now: number): Generator<string> {
  const { grants } = state;
  const match = grants.whats.match(question.permission);
  const who = formatSubject(question.subject);
  const { resource } = question;
  let looked = 0;
  for (const slot of grants.slotsOf(question.subject)) {
    looked += 1;
    if (looked > MAX_LOOKED_AT) return;
    const grant = grants.at(slot)?.grant;
    if (grant === undefined || grant.effect === 'deny') continue;
    const includes = grants.whats.state(match, grants.whatOf(slot)) === INCLUDES;
    const whole = grant.resource === undefined;
    const here = whole || (resource !== undefined && formatResource(grant.resource) === formatResource(resource));
    const holds = `${who} holds ${whatText(grant)}${placeText(grant)} by grant ${grant.id}`;
    if (!isLive(grant, now)) {
      if (includes && here) yield `${holds}, but that expired`;
    } else if (!includes) {
      if (here) yield `${holds}, but ${whatText(grant)} does not include ${question.permission}`;
    } else if (!here)
      yield `${holds}, but not ${resource === undefined ? 'on the whole tenant' : `on ${formatResource(resource)}`}`;
    else if (whole && isGuarded(state, resource)) yield `${holds}, but only a grant on that very resource reaches it`;
  }
  if (looked === 0) yield `${who} holds no grant`;
}

function roleName(state: DecisionState, number: number): string {
  const what = state.grants.whats.what(number);
  return what.kind === 'role' ? what.role : what.permission;
}

function whatText(grant: Grant): string {
  return grant.what.kind === 'role' ? `role ${grant.what.role}` : `permission ${grant.what.permission}`;
}

function placeText(grant: Grant): string {
  return grant.resource === undefined ? '' : ` on ${formatResource(grant.resource)}`;
}

function untilText(grant: Grant): string {
  return grant.expiresAt === undefined ? '' : `, until ${new Date(grant.expiresAt).toISOString()}`;
}
