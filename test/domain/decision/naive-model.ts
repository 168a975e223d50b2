import type { DecisionQuestion } from '../../../src/domain/decision/decision-index.ts';
import type { PolicyEntry } from '../../../src/domain/decision/policy-log.ts';
import type { Attributes, Decision, Grant, GrantFilter, Policy } from '../../../src/domain/decision/use-cases.ts';
import type { SubjectRef } from '../../../src/domain/subject.ts';
import { alive, applyEntry, around, type NaiveFacts, same, selects } from './naive-facts.ts';

// What a decision is, written from the fail-closed table, docs/authorization.md, the comments of the protos and the examples of
// decide.test.ts and fail-closed.test.ts, before the code of the index was read. The comparison then settled what these left open: which
// grants name a permission, and what missing names a deny or a cycle of groups brings. Lists and loops; of src it takes types alone.

/** Whether something holds, or the attributes for want of which nobody knows. */
type Truth = boolean | readonly string[];

/** What a condition says: the test knows its conditions, the model does not parse CEL. */
export type Conditions = (text: string, question: DecisionQuestion, stored: Attributes, now: number) => Truth;

/** A grant or rule about what was asked for, and whether it counts for the subject. */
interface Vote {
  readonly effect: 'allow' | 'deny';
  readonly truth: Truth;
  readonly grantId?: string | undefined;
  readonly ruleName?: string | undefined;
}

export type NaiveModel = ReturnType<typeof createNaiveModel>;

export function createNaiveModel(tenant: string, builtIn: Policy, conditions: Conditions) {
  const policy = tenant === 'sallyport' ? builtIn : { roles: [] };
  const facts: NaiveFacts = { tenant, policy, grants: [], links: [], attributes: [], disabled: [] };
  return {
    facts: facts as Readonly<NaiveFacts>,
    apply: (entry: PolicyEntry): void => applyEntry(facts, entry),
    list: (filter: GrantFilter, now: number) => alive(facts.grants, now).filter((grant) => selects(filter, grant)),
    decide: (question: DecisionQuestion, now: number) => decide(facts, conditions, question, now),
    /** Attributes that any condition lacks, whether or not that matters to the answer. */
    lacked: (question: DecisionQuestion, now: number): readonly string[] => {
      const holds = holdsFor(facts, conditions, question, now);
      const truths = [...alive(facts.grants, now), ...(facts.policy.rules ?? [])].map((each) => holds(each.condition));
      return truths.filter(isOpen).flat();
    },
  };
}

function holdsFor(facts: NaiveFacts, conditions: Conditions, question: DecisionQuestion, now: number) {
  const stored = facts.attributes.find((each) => same(each.subject, question.subject))?.attributes ?? {};
  return (text?: string | undefined): Truth => text === undefined || conditions(text, question, stored, now);
}

/** It expires at the first end of a grant or of the credential at which the same question is answered otherwise. */
function decide(facts: NaiveFacts, conditions: Conditions, question: DecisionQuestion, now: number): Decision {
  const { contextualGrants = [], credentialExpiresAt = Infinity } = question;
  const at = (time: number) => answer(facts, question, votes(facts, conditions, question, time));
  const decision = at(now);
  const ends = [
    credentialExpiresAt,
    ...[...facts.grants, ...contextualGrants].map((each) => each.expiresAt ?? Infinity),
  ];
  const later = ends.filter((end) => end > now && end < Infinity).toSorted((one, other) => one - other);
  const effectAt = (time: number) => (time >= credentialExpiresAt ? 'deny' : at(time).effect);
  return { ...decision, expiresAt: later.find((end) => effectAt(end) !== decision.effect) };
}

/** The reasons in their order: the first that holds is given. */
function answer(facts: NaiveFacts, question: DecisionQuestion, cast: readonly Vote[]): Omit<Decision, 'expiresAt'> {
  const { subject, permission, scopes } = question;
  if (facts.disabled.some((each) => same(each, subject))) return { effect: 'deny', reason: 'SUBJECT_DISABLED' };
  if (scopes !== undefined && !matches(scopes, permission)) return { effect: 'deny', reason: 'OUT_OF_SCOPE' };
  const all = (effect: Vote['effect']) => cast.filter((vote) => vote.effect === effect);
  const sure = (effect: Vote['effect']) => all(effect).filter(({ truth }) => truth === true);
  const missingContext = sorted(cast.flatMap(({ truth }) => (isOpen(truth) ? truth : [])));
  if (sure('deny').length > 0) return { effect: 'deny', reason: 'DENIED_BY_RULE', ...namesOf(sure('deny')) };
  if (all('deny').length > 0)
    return { effect: 'deny', reason: 'CONDITION_ERROR', ...namesOf(all('deny')), missingContext };
  if (sure('allow').length > 0) return { effect: 'allow', reason: 'GRANTED', ...namesOf(sure('allow')) };
  if (all('allow').length > 0) return { effect: 'deny', reason: 'CONTEXT_MISSING', missingContext };
  const named = [...facts.policy.roles, ...(facts.policy.rules ?? [])].flatMap(({ permissions }) => permissions);
  const granted = facts.grants.flatMap(({ what }) => (what.kind === 'permission' ? what.permission : []));
  const isKnown = matches([...named, ...granted], permission);
  return { effect: 'deny', reason: isKnown ? 'NO_MATCH' : 'UNKNOWN_PERMISSION' };
}

/** What of all grants and rules is about the permission, reaches the resource, and holds for the subject or may. */
function votes(facts: NaiveFacts, conditions: Conditions, question: DecisionQuestion, now: number): readonly Vote[] {
  const { subject, permission, resource, contextualGrants = [] } = question;
  const contextual = contextualGrants.map((grant, at): Grant => ({ ...grant, id: `contextual_grants[${at}]` }));
  const living = alive([...facts.grants, ...contextual], now);
  const holds = holdsFor(facts, conditions, question, now);
  const isIn = membership(subject, living, holds);
  const where = around(facts, resource);
  // An allow on the whole tenant sallyport does not reach the tenant itself.
  const isGuarded = facts.tenant === 'sallyport' && same(resource, { type: 'tenant', id: 'sallyport' });
  const reaches = ({ resource: on, effect }: Grant): boolean =>
    on === undefined ? effect === 'deny' || !isGuarded : where.some((each) => same(each, on));
  const cast: Vote[] = living
    .filter((grant) => covers(facts.policy, grant, permission) && reaches(grant))
    .map(({ id, effect, subject: to, condition }) => ({
      grantId: id,
      effect,
      truth: both(isIn(to), holds(condition)),
    }));
  for (const rule of facts.policy.rules ?? []) {
    if (!matches(rule.permissions, permission)) continue;
    if (rule.resourceType !== undefined && rule.resourceType !== resource?.type) continue;
    const truth = both(rule.subject === undefined || isIn(rule.subject), holds(rule.condition));
    cast.push({ ruleName: rule.name, effect: rule.effect, truth });
  }
  return cast.filter(({ truth }) => truth !== false);
}

/** Who holds a role on a resource by an allow is in the set `resource#role`; asked again until no answer changes, since sets nest. */
function membership(subject: SubjectRef, living: readonly Grant[], holds: (text?: string) => Truth) {
  const joins = living.flatMap(({ subject: from, effect, what, resource, condition }) => {
    if (effect === 'deny' || what.kind === 'permission' || resource === undefined) return [];
    return { from, condition, into: { ...resource, relation: what.role } };
  });
  let known: readonly { readonly set: SubjectRef; readonly truth: Truth }[] = [];
  const isIn = (set: SubjectRef): Truth => {
    if (same(set, subject) || same(set, { type: 'everyone', id: 'authenticated' })) return true;
    return any(known.filter((each) => same(each.set, set)).map(({ truth }) => truth));
  };
  for (let before = ''; before !== JSON.stringify(known); ) {
    before = JSON.stringify(known);
    known = joins.map(({ from, into, condition }) => ({ set: into, truth: both(isIn(from), holds(condition)) }));
  }
  return isIn;
}

/** Of a role that the policy lacks, a deny covers everything and an allow nothing. */
function covers(policy: Policy, { what, effect }: Grant, permission: string): boolean {
  if (what.kind === 'permission') return matches([what.permission], permission);
  if (!policy.roles.some(({ name }) => name === what.role)) return effect === 'deny';
  return matches(patternsOf(policy, what.role), permission);
}

function patternsOf(policy: Policy, name: string): readonly string[] {
  const { permissions = [], inherits = [] } = policy.roles.find((each) => each.name === name) ?? {};
  return [...permissions, ...inherits.flatMap((parent) => patternsOf(policy, parent))];
}

const isOpen = (truth: Truth): truth is readonly string[] => typeof truth !== 'boolean';

function both(one: Truth, other: Truth): Truth {
  if (one === false || other === false) return false;
  return isOpen(one) && isOpen(other) ? (sorted([...one, ...other]) ?? []) : isOpen(one) ? one : other;
}

function any(ways: readonly Truth[]): Truth {
  return ways.includes(true) || (ways.some(isOpen) && (sorted(ways.filter(isOpen).flat()) ?? []));
}

/** In a pattern `*` stands for a segment, as the last one for all the rest. */
function matches(patterns: readonly string[], permission: string): boolean {
  const expression = (pattern: string): string => pattern.replace(/\*$/, '.+').replaceAll('*', '[^:]+');
  return patterns.some((pattern) => new RegExp(`^${expression(pattern)}$`).test(permission));
}

function namesOf(cast: readonly Vote[]): Pick<Decision, 'grantIds' | 'ruleNames'> {
  const ruleNames = sorted(cast.flatMap(({ ruleName = [] }) => ruleName));
  return { grantIds: sorted(cast.flatMap(({ grantId = [] }) => grantId)), ruleNames };
}

/** Each once; undefined: none. */
function sorted(names: readonly string[]): readonly string[] | undefined {
  return names.length === 0 ? undefined : [...new Set(names)].toSorted();
}
