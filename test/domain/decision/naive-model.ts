import type { DecisionQuestion } from '../../../src/domain/decision/decision-index.ts';
import type { PolicyEntry, StoredChange } from '../../../src/domain/decision/policy-log.ts';
import type { Attributes, Grant, GrantFilter, Policy } from '../../../src/domain/decision/use-cases.ts';

// What the index must be equal to, written to be read: lists and loops over everything, and no import from what it checks.

export interface NaiveDecision {
  readonly effect: string;
  readonly reason: string;
  readonly expiresAt?: number | undefined;
  readonly grantIds?: readonly string[] | undefined;
  readonly ruleNames?: readonly string[] | undefined;
  readonly missingContext?: readonly string[] | undefined;
}

export interface NaiveModel {
  readonly policy: Policy;
  readonly grants: readonly Grant[];
  apply(entry: PolicyEntry): void;
  decide(question: DecisionQuestion, now: number): NaiveDecision;
  list(filter: GrantFilter, now: number): readonly Grant[];
}

/** What a condition says: the test knows its conditions, the model does not parse CEL. */
export type Conditions = (
  text: string,
  question: DecisionQuestion,
  stored: Attributes,
  now: number,
) => boolean | readonly string[];

interface Name {
  readonly type: string;
  readonly id: string;
  readonly relation?: string | undefined;
}

/** How a subject is in a set. Until when for certain and possibly; 0: not. */
interface Membership {
  readonly certain: number;
  readonly possible: number;
  readonly names: readonly string[];
}

/** One grant or rule that covers the question. */
interface Vote {
  readonly grantId?: string;
  readonly ruleName?: string;
  readonly deny: boolean;
  readonly sure: boolean;
  readonly until: number;
  readonly names: readonly string[];
}

interface State {
  readonly tenant: string;
  policy: Policy;
  grants: readonly Grant[];
  readonly disabled: Set<string>;
  readonly parents: Map<string, Name>;
  readonly attributes: Map<string, Attributes>;
  readonly conditions: Conditions;
}

export function createNaiveModel(tenant: string, builtIn: Policy, conditions: Conditions): NaiveModel {
  const policy: Policy = tenant === 'sallyport' ? builtIn : { roles: [] };
  const [parents, attributes, disabled] = [new Map(), new Map(), new Set<string>()];
  const state: State = { tenant, policy, grants: [], disabled, parents, attributes, conditions };
  return {
    get policy() {
      return state.policy;
    },
    get grants() {
      return state.grants;
    },
    decide: (question, now) => decide(state, question, now),
    list: (filter, now) =>
      state.grants.filter(
        (grant) => (grant.expiresAt === undefined || grant.expiresAt > now) && selects(filter, grant),
      ),
    apply: (entry) => {
      if (entry.kind === 'policy' && tenant !== 'sallyport') state.policy = entry.policy;
      if (entry.kind === 'subject' && entry.disabled) disabled.add(entry.subject.id);
      if (entry.kind === 'subject' && !entry.disabled) disabled.delete(entry.subject.id);
      if (entry.kind === 'grants') for (const each of entry.changes) change(state, each);
    },
  };
}

function answer(
  state: State,
  text: string | undefined,
  question: DecisionQuestion,
  now: number,
): boolean | readonly string[] {
  return text === undefined
    ? true
    : state.conditions(text, question, state.attributes.get(textOf(question.subject)) ?? {}, now);
}

/** Every subject and set that the question's subject stands for, by going through all grants until nothing changes. */
function standsFor(
  state: State,
  all: readonly Grant[],
  question: DecisionQuestion,
  now: number,
): ReadonlyMap<string, Membership> {
  const always = { certain: Infinity, possible: Infinity, names: [] };
  const found = new Map<string, Membership>([
    [textOf(question.subject), always],
    ['everyone:authenticated', always],
  ]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const grant of all) {
      const from = found.get(textOf(grant.subject));
      if (from === undefined || grant.effect === 'deny' || grant.what.kind === 'permission') continue;
      const truth = answer(state, grant.condition, question, now);
      if (grant.resource === undefined || truth === false) continue;
      const set = `${textOf(grant.resource)}#${grant.what.role}`;
      const before = found.get(set) ?? { certain: 0, possible: 0, names: [] };
      const end = grant.expiresAt ?? Infinity;
      const after = {
        certain: Math.max(before.certain, truth === true ? Math.min(from.certain, end) : 0),
        possible: Math.max(before.possible, Math.min(from.possible, end)),
        names: sorted([...before.names, ...from.names, ...(truth === true ? [] : truth)]),
      };
      if (JSON.stringify(after) !== JSON.stringify({ ...before, names: sorted(before.names) })) changed = true;
      found.set(set, after);
    }
  }
  return found;
}

function votes(state: State, question: DecisionQuestion, now: number): readonly Vote[] {
  const { tenant, policy, parents } = state;
  const contextual = (question.contextualGrants ?? []).map((grant, at) => ({
    ...grant,
    id: `contextual_grants[${at}]`,
  }));
  const all: readonly Grant[] = [...state.grants, ...contextual].filter(({ expiresAt = Infinity }) => expiresAt > now);
  const subjects = standsFor(state, all, question, now);
  const places: string[] = [];
  for (let at = question.resource as Name | undefined; at !== undefined; at = parents.get(textOf(at)))
    places.push(textOf(at));
  const cast: Vote[] = [];
  const vote = (
    who: Name | undefined,
    deny: boolean,
    end: number,
    condition: string | undefined,
    name: Partial<Vote>,
  ): void => {
    const held = subjects.get(textOf(who ?? question.subject));
    const truth = answer(state, condition, question, now);
    if (held === undefined || truth === false) return;
    const names = [...(held.certain === 0 ? held.names : []), ...(truth === true ? [] : truth)];
    const sure = truth === true && held.certain > 0;
    cast.push({ ...name, deny, sure, until: Math.min(deny ? held.possible : held.certain, end), names });
  };
  for (const grant of all) {
    const deny = grant.effect === 'deny';
    const isGuarded = tenant === 'sallyport' && places[0] === 'tenant:sallyport';
    const reaches = grant.resource === undefined ? deny || !isGuarded : places.includes(textOf(grant.resource));
    if (!reaches || !covers(policy, grant, question.permission, deny)) continue;
    vote(grant.subject, deny, grant.expiresAt ?? Infinity, grant.condition, { grantId: grant.id });
  }
  for (const rule of policy.rules ?? []) {
    if (!rule.permissions.some((each) => matches(each, question.permission))) continue;
    if (rule.resourceType !== undefined && rule.resourceType !== question.resource?.type) continue;
    vote(rule.subject, rule.effect === 'deny', Infinity, rule.condition, { ruleName: rule.name });
  }
  return cast;
}

function decide(state: State, question: DecisionQuestion, now: number): NaiveDecision {
  const { policy, grants, disabled } = state;
  const no = (reason: string): NaiveDecision => ({ effect: 'deny', reason });
  if (disabled.has(question.subject.id)) return no('SUBJECT_DISABLED');
  const { scopes, credentialExpiresAt = Infinity } = question;
  if (scopes !== undefined && !scopes.some((scope) => matches(scope, question.permission))) return no('OUT_OF_SCOPE');
  const cast = votes(state, question, now);
  const denies = cast.filter(({ deny }) => deny);
  const sureDenies = denies.filter(({ sure }) => sure);
  const allows = cast.filter(({ deny, sure }) => !deny && sure);
  const unsure = cast.filter(({ sure }) => !sure);
  const allowEnd = Math.min(lastEnd(allows), credentialExpiresAt);
  const missingContext = sorted(unsure.flatMap(({ names }) => names));
  if (denies.length > 0) {
    const end = lastEnd(denies);
    const expiresAt = end < allowEnd ? end : undefined;
    if (sureDenies.length > 0) return { effect: 'deny', reason: 'DENIED_BY_RULE', ...namesOf(sureDenies), expiresAt };
    return { effect: 'deny', reason: 'CONDITION_ERROR', ...namesOf(denies), missingContext, expiresAt };
  }
  if (allows.length > 0) {
    const expiresAt = allowEnd === Infinity ? undefined : allowEnd;
    return { effect: 'allow', reason: 'GRANTED', ...namesOf(allows), expiresAt };
  }
  if (unsure.length > 0) return { effect: 'deny', reason: 'CONTEXT_MISSING', missingContext };
  const names = [
    ...policy.roles.flatMap((role) => role.permissions),
    ...(policy.rules ?? []).flatMap((rule) => rule.permissions),
    ...grants.flatMap(({ what }) => (what.kind === 'permission' ? [what.permission] : [])),
  ];
  return no(names.some((name) => matches(name, question.permission)) ? 'NO_MATCH' : 'UNKNOWN_PERMISSION');
}

function change(state: State, each: StoredChange): void {
  const { grants, parents, attributes } = state;
  switch (each.kind) {
    case 'delete':
      state.grants = grants.filter(({ id }) => id !== each.grantId);
      return;
    case 'delete_matching':
      state.grants = grants.filter((grant) => !selects(each.filter, grant));
      return;
    case 'put':
      if (grants.some(({ id }) => id === each.grant.id)) {
        state.grants = grants.map((grant) => (grant.id === each.grant.id ? each.grant : grant));
      } else state.grants = [...grants, each.grant];
      return;
    case 'put_parent':
      parents.set(textOf(each.child), each.parent);
      return;
    case 'delete_parent': {
      const known = parents.get(textOf(each.child));
      if (known !== undefined && textOf(known) === textOf(each.parent)) parents.delete(textOf(each.child));
      return;
    }
    case 'put_attributes':
      attributes.set(textOf(each.subject), each.attributes);
  }
}

function textOf({ type, id, relation }: Name): string {
  return relation === undefined ? `${type}:${id}` : `${type}:${id}#${relation}`;
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}

function matches(pattern: string, permission: string): boolean {
  const parts = pattern.split(':');
  const text = parts.map((part, index) => {
    if (part !== '*') return part;
    return index === parts.length - 1 ? '[^:]+(:[^:]+)*' : '[^:]+';
  });
  return new RegExp(`^${text.join(':')}$`).test(permission);
}

function covers(policy: Policy, grant: Grant, permission: string, ifUnknown: boolean): boolean {
  if (grant.what.kind === 'permission') return matches(grant.what.permission, permission);
  const { role: name } = grant.what;
  return policy.roles.some((role) => role.name === name) ? roleCovers(policy, name, permission) : ifUnknown;
}

function roleCovers(policy: Policy, name: string, permission: string): boolean {
  const role = policy.roles.find((each) => each.name === name);
  if (role === undefined) return false;
  return (
    role.permissions.some((pattern) => matches(pattern, permission)) ||
    role.inherits.some((parent) => roleCovers(policy, parent, permission))
  );
}

function lastEnd(cast: readonly Vote[]): number {
  return Math.max(0, ...cast.map(({ until }) => until));
}

function namesOf(cast: readonly Vote[]): Pick<NaiveDecision, 'grantIds' | 'ruleNames'> {
  const grantIds = cast.flatMap(({ grantId }) => grantId ?? []).toSorted();
  const ruleNames = cast.flatMap(({ ruleName }) => ruleName ?? []).toSorted();
  return { ...(grantIds.length === 0 ? {} : { grantIds }), ...(ruleNames.length === 0 ? {} : { ruleNames }) };
}

function selects(filter: GrantFilter, grant: Grant): boolean {
  return (
    (filter.subject === undefined || textOf(filter.subject) === textOf(grant.subject)) &&
    (filter.role === undefined || (grant.what.kind === 'role' && grant.what.role === filter.role)) &&
    (filter.resource === undefined ||
      (grant.resource !== undefined && textOf(filter.resource) === textOf(grant.resource)))
  );
}
