import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { DecisionRequest, Truth } from './decision-request.ts';
import { EVERYONE } from './node-table.ts';

// Whom the grants may be to that concern a subject: itself, everybody, and the sets it is a member of, over any number of groups in
// between. A membership may end, and may have a condition; so each set is held until some time for certain, and until some
// time possibly, where a condition could not be answered.

/** Sets that one subject is in. */
export const MAX_EFFECTIVE_SUBJECTS = 1000;
/** Missing attributes that are told of one set. */
const MAX_MISSING = 20;

export interface EffectiveSubject {
  readonly node: number;
  /** Groups in between. */
  readonly depth: number;
  /** Epoch ms until which it is held for certain; Infinity: for good; 0: it is not certain. */
  certain: number;
  /** The same if every unanswered condition on the way were true. */
  possible: number;
  /** Attributes that were missing on the way, at most 20. Of a way found late not all are known further on. */
  missing: ReadonlySet<string> | undefined;
  /** How it is held: by whom, and by which grant, a slot or, below 0, a contextual one: -1 - its position. */
  from: EffectiveSubject | undefined;
  via: number;
}

/** The subject itself first. Throws LIMIT_EXCEEDED beyond 32 groups in a row or 1,000 sets, or when the decision takes too much. */
export function effectiveSubjects(request: DecisionRequest): readonly EffectiveSubject[] {
  const { nodes } = request.state.grants;
  const found = [beginning(request.who)];
  const everyone = nodes.everyone;
  if (everyone !== 0 && everyone !== request.who) found.push(beginning(everyone));
  if (request.contextual.length > 0) return close(request, withContextualEveryone(request, found));
  return found.some(({ node }) => request.state.grants.firstMembership(node) !== 0) ? close(request, found) : found;
}

function beginning(node: number): EffectiveSubject {
  return {
    node,
    depth: 0,
    certain: Number.POSITIVE_INFINITY,
    possible: Number.POSITIVE_INFINITY,
    missing: undefined,
    from: undefined,
    via: 0,
  };
}

/** Everybody, where only a contextual grant speaks of it. */
function withContextualEveryone(request: DecisionRequest, found: EffectiveSubject[]): EffectiveSubject[] {
  const spoken = request.contextual.find(
    ({ grant: { subject } }) =>
      subject.type === EVERYONE.type && subject.id === EVERYONE.id && (subject.relation ?? '') === '',
  );
  const isNew = spoken !== undefined && found.every(({ node }) => node !== spoken.subject);
  return isNew ? [...found, beginning(spoken.subject)] : found;
}

/**
 * Breadth first; a set that is held for longer than was known is gone through again, which ends because times only grow. Not one
 * that only lacks more attributes: those multiply with every level.
 */
function close(request: DecisionRequest, found: EffectiveSubject[]): readonly EffectiveSubject[] {
  const { grants } = request.state;
  const known = new Map(found.map((each) => [each.node, each]));
  const waiting = [...found];
  const join = (set: number, from: EffectiveSubject, via: number, expiry: number, truth: Truth): void => {
    request.work.spend(1);
    const until = expiry === 0 ? Number.POSITIVE_INFINITY : expiry;
    if (truth === false || until <= request.now) return;
    const step = {
      certain: truth === true ? Math.min(from.certain, until) : 0,
      possible: Math.min(from.possible, until),
      missing: truth === true ? from.missing : union(from.missing, truth),
    };
    const before = known.get(set);
    if (before !== undefined) {
      if (improve(before, step, from, via)) waiting.push(before);
      return;
    }
    const made = { node: set, depth: from.depth + 1, ...step, from, via };
    if (made.depth > limits.groupDepth) tooFar('groupDepth', `groups nest over more than ${limits.groupDepth} levels`);
    known.set(set, made);
    found.push(made);
    if (found.length > MAX_EFFECTIVE_SUBJECTS) {
      tooFar('effectiveSubjects', `the subject is in more than ${MAX_EFFECTIVE_SUBJECTS} sets`);
    }
    waiting.push(made);
  };
  for (let at = 0; at < waiting.length; at += 1) {
    const member = waiting[at];
    if (member === undefined) break;
    request.work.spend(1);
    let slot = grants.firstMembership(member.node);
    for (; slot !== 0; slot = grants.nextMembership(slot)) {
      join(grants.setOf(slot), member, slot, grants.expiryOf(slot), request.truthOf(grants.conditionOf(slot)));
    }
    if (request.contextual.length > 0) joinContextual(request, member, join);
  }
  return found;
}

/** Memberships that contextual grants bring, and stored ones in sets that only contextual grants name. */
function joinContextual(
  request: DecisionRequest,
  member: EffectiveSubject,
  join: (set: number, from: EffectiveSubject, via: number, expiry: number, truth: Truth) => void,
): void {
  const { grants } = request.state;
  request.work.spend(request.contextual.length);
  for (const [index, { grant, subject, resource }] of request.contextual.entries()) {
    if (subject !== member.node || grant.effect !== 'allow' || grant.what.kind !== 'role' || resource === -1) continue;
    join(request.setNumber(resource, grant.what.role), member, -1 - index, grant.expiresAt ?? 0, true);
  }
  for (const { base, subject: set, grant } of request.contextual) {
    if (base === 0 || set > 0) continue;
    for (let slot = grants.firstOf(member.node, base); slot !== 0; slot = grants.nextOf(slot, member.node, base)) {
      request.work.spend(1);
      const what = grants.whats.what(grants.whatOf(slot));
      if (grants.isDeny(slot) || what.kind !== 'role' || what.role !== grant.subject.relation) continue;
      join(set, member, slot, grants.expiryOf(slot), request.truthOf(grants.conditionOf(slot)));
    }
  }
}

function improve(
  known: EffectiveSubject,
  step: Pick<EffectiveSubject, 'certain' | 'possible' | 'missing'>,
  from: EffectiveSubject,
  via: number,
): boolean {
  const isBetter = step.certain > known.certain || step.possible > known.possible;
  if (step.certain > known.certain) {
    known.from = from;
    known.via = via;
  }
  known.certain = Math.max(known.certain, step.certain);
  known.possible = Math.max(known.possible, step.possible);
  known.missing = union(known.missing, step.missing ?? []);
  return isBetter;
}

/** The same set when nothing is new, or it is full. */
function union(known: ReadonlySet<string> | undefined, more: Iterable<string>): ReadonlySet<string> | undefined {
  let grown: Set<string> | undefined;
  for (const name of more) {
    if (known?.has(name) || grown?.has(name)) continue;
    if ((grown ?? known)?.size === MAX_MISSING) break;
    grown ??= new Set(known);
    grown.add(name);
  }
  return grown ?? known;
}

export function tooFar(limit: string, message: string): never {
  throw new DomainError('LIMIT_EXCEEDED', message, { metadata: { limit } });
}
