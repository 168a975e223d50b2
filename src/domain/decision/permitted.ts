import { DomainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { formatResource, type ResourceRef, type SubjectRef } from '../subject.ts';
import { decide, effectiveResources, isGuarded } from './decide.ts';
import type { DecisionQuestion, PageBounds, PermittedPage } from './decision-index.ts';
import { DecisionRequest, type DecisionState } from './decision-request.ts';
import { DecisionWork, MAX_CALL_WORK } from './decision-work.ts';
import { effectiveSubjects } from './effective-subjects.ts';
import { WHOLE_TENANT } from './grant-table.ts';
import { SmallestTexts } from './smallest-texts.ts';
import { INCLUDES, type PermissionMatch } from './what-table.ts';

// What may a subject do, on which resources, and who may: first every candidate that some living allow could reach, from the lists
// of the index, then `decide` for each in the order of its name. So a list can never say yes where Authorize says no, and says
// yes wherever Authorize does as long as no candidate is missed, which the property test watches.

/** Grants and resources looked at for one page, about 30 ms. What needs more is refused, never cut silently. */
const MAX_LOOKED_AT = 250_000;
/** Candidates decided for one page, a few ms. A page can be short, or empty, and not the last. */
const MAX_DECIDED = 2048;

/** Who asks, and with what. */
export type Asker = Omit<DecisionQuestion, 'permission' | 'resource'>;

/** Counts what a walk looks at. Throws LIMIT_EXCEEDED past the bound. */
class Walk {
  #looked = 0;

  step(): void {
    this.#looked += 1;
    if (this.#looked <= MAX_LOOKED_AT) return;
    throw new DomainError('LIMIT_EXCEEDED', `the list takes more than ${MAX_LOOKED_AT} grants to make; ask Authorize`, {
      metadata: { limit: 'listedGrants' },
    });
  }
}

/**
 * Permissions that the subject has on `resource` (undefined: on the whole tenant), of those that the policy or a grant names without a
 * wildcard. Not complete when a wildcard allows more than what is named.
 */
export function listPermissions(
  state: DecisionState,
  asker: Asker,
  resource: ResourceRef | undefined,
  page: PageBounds,
  now: number,
): PermittedPage {
  const { whats } = state.grants;
  const names = new SmallestTexts(page.after, MAX_DECIDED);
  for (const permission of whats.named()) if (!permission.includes('*')) names.add(permission);
  const listed = decideEach(state, names, page.limit, now, (permission) => ({ ...asker, permission, resource }));
  return { ...listed, complete: listed.complete && !hasOpenAllow(state, asker, resource, now) };
}

/** Ids of resources of a type on which the subject may. Not complete when an allow on all of them reaches those nobody mentioned. */
export function listResources(
  state: DecisionState,
  asker: Asker,
  what: { readonly permission: string; readonly type: string },
  page: PageBounds,
  now: number,
): PermittedPage {
  const { grants } = state;
  const { permission, type } = what;
  const match = grants.whats.match(permission);
  const ids = new SmallestTexts(page.after, MAX_DECIDED);
  const walk = new Walk();
  let reachesAll = allowsByRule(match, type);
  const outer = new Set<number>();
  for (const { node } of effectiveSubjects(new DecisionRequest(state, { ...asker, permission }, now))) {
    for (const slot of grants.slotsOfNode(node)) {
      walk.step();
      if (!isLiveAllow(state, slot, match, now)) continue;
      const resource = grants.resourceOf(slot);
      if (resource === WHOLE_TENANT) reachesAll = true;
      else if (grants.nodes.typeOf(resource) === type) ids.add(grants.nodes.nameOf(resource).id);
      outer.add(resource);
    }
  }
  if (reachesAll || (outer.size > 0 && grants.nodes.linksOfType(type) > 0)) {
    for (const node of grants.resourcesOf(type)) {
      walk.step();
      if (reachesAll || liesIn(state, node, outer)) ids.add(grants.nodes.nameOf(node).id);
    }
  }
  const listed = decideEach(state, ids, page.limit, now, (id) => ({ ...asker, permission, resource: { type, id } }));
  return { ...listed, complete: listed.complete && !reachesAll };
}

/** Subjects as `type:id` that may, of one type or, with `type` empty, of any. Not complete when everybody is allowed. */
export function listSubjects(
  state: DecisionState,
  what: Omit<DecisionQuestion, 'subject'>,
  type: string,
  page: PageBounds,
  now: number,
): PermittedPage {
  const { grants } = state;
  const match = grants.whats.match(what.permission);
  const names = new SmallestTexts(page.after, MAX_DECIDED);
  const walk = new Walk();
  const everyone = grants.nodes.everyone;
  let allowsAll = false;
  const seen = new Set<number>();
  const consider = (node: number): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node === everyone) allowsAll = true;
    else if (grants.nodes.baseOf(node) !== 0) {
      for (const slot of grants.membersOf(node)) {
        walk.step();
        consider(grants.subjectOf(slot));
      }
    } else if (type === '' || grants.nodes.typeOf(node) === type) names.add(formatResource(grants.nodes.nameOf(node)));
  };
  const considerAll = (slots: Iterable<number>): void => {
    for (const slot of slots) {
      walk.step();
      if (isLiveAllow(state, slot, match, now)) consider(grants.subjectOf(slot));
    }
  };
  const request = new DecisionRequest(state, { ...what, subject: { type: '', id: '' } }, now);
  for (const resource of effectiveResources(request)) considerAll(grants.slotsOnNode(resource));
  if (!isGuarded(state, what.resource)) considerAll(grants.slotsOnTenant());
  for (const { deny, rule, subject } of match.rules) {
    if (deny || (rule.resourceType !== undefined && rule.resourceType !== what.resource?.type)) continue;
    if (subject === 0) allowsAll = true;
    else consider(subject);
  }
  if (allowsAll) {
    for (const node of grants.subjects()) {
      walk.step();
      if (node !== everyone) consider(node);
    }
  }
  const listed = decideEach(state, names, page.limit, now, (name) => ({ ...what, subject: subjectOf(name) }));
  return { ...listed, complete: listed.complete && !allowsAll };
}

function allowsByRule(match: PermissionMatch, type: string): boolean {
  return match.rules.some(({ deny, rule }) => !deny && (rule.resourceType === undefined || rule.resourceType === type));
}

/** Whether what the resource lies in, over any number of levels, is among `outer`. What is too deep is left to the decision. */
function liesIn({ grants: { nodes } }: DecisionState, node: number, outer: ReadonlySet<number>): boolean {
  let levels = 0;
  for (let at = nodes.parentOf(node); at !== 0 && levels <= limits.resourceDepth; at = nodes.parentOf(at)) {
    if (outer.has(at)) return true;
    levels += 1;
  }
  return levels > limits.resourceDepth;
}

/** A type has no `:`, an id may have. */
export function subjectOf(name: string): SubjectRef {
  const colon = name.indexOf(':');
  return { type: name.slice(0, colon), id: name.slice(colon + 1) };
}

function decideEach(
  state: DecisionState,
  candidates: SmallestTexts,
  limit: number,
  now: number,
  questionOf: (text: string) => DecisionQuestion,
): PermittedPage {
  const { texts, isCut } = candidates.take();
  const names: string[] = [];
  let complete = true;
  const work = new DecisionWork(MAX_CALL_WORK);
  for (const text of texts) {
    const { effect, reason } = decide(state, questionOf(text), now, work);
    // With other attributes it might be allowed.
    if (reason === 'CONTEXT_MISSING') complete = false;
    if (effect !== 'allow') continue;
    if (names.length === limit) return { names, next: names.at(-1), complete };
    names.push(text);
  }
  return { names, next: isCut ? texts.at(-1) : undefined, complete };
}

function isLiveAllow(state: DecisionState, slot: number, match: PermissionMatch, now: number): boolean {
  const { grants } = state;
  const expiry = grants.expiryOf(slot);
  if (grants.isDeny(slot) || (expiry !== 0 && expiry <= now)) return false;
  return grants.whats.state(match, grants.whatOf(slot)) === INCLUDES;
}

/** Whether an allow with a wildcard reaches the subject there: it allows permissions that nothing names. */
function hasOpenAllow(state: DecisionState, asker: Asker, resource: ResourceRef | undefined, now: number): boolean {
  const { grants } = state;
  const request = new DecisionRequest(state, { ...asker, permission: '', resource }, now);
  const subjects = effectiveSubjects(request);
  const places = [WHOLE_TENANT, ...effectiveResources(request)];
  for (const { node } of subjects) {
    for (const place of places) {
      for (let slot = grants.firstOf(node, place); slot !== 0; slot = grants.nextOf(slot, node, place)) {
        const expiry = grants.expiryOf(slot);
        if (grants.isDeny(slot) || (expiry !== 0 && expiry <= now)) continue;
        if (grants.whats.isOpen(grants.whatOf(slot))) return true;
      }
    }
  }
  return grants.whats.rules.some(
    ({ deny, rule, subject }) =>
      !deny &&
      rule.permissions.some((permission) => permission.includes('*')) &&
      (rule.resourceType === undefined || rule.resourceType === resource?.type) &&
      (subject === 0 || subjects.some(({ node }) => node === subject)),
  );
}
