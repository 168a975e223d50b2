import { formatResource, formatSubject } from '../subject.ts';
import { effectiveResources, isGuarded } from './decide.ts';
import type { DecisionRequest, Truth } from './decision-request.ts';
import { effectiveSubjects } from './effective-subjects.ts';
import { placeText, whatText } from './explain-text.ts';
import { isLive } from './grant.ts';
import { WHOLE_TENANT } from './grant-table.ts';
import type { Grant } from './use-cases.ts';
import { INCLUDES } from './what-table.ts';

// The nearest misses of a denial: allows that fail in one respect only.

const MAX_LOOKED_AT = 1000;
/** Reading one grant and saying what it lacks, in units of DecisionWork. */
const LOOK_COST = 40;

/** Of the subject, the sets it is in, and the rules; at most 1,000 grants are looked at. Throws LIMIT_EXCEEDED when that takes too much. */
export function* explainMisses(request: DecisionRequest): Generator<string> {
  const { grants } = request.state;
  const places = new Set([WHOLE_TENANT, ...effectiveResources(request)]);
  let looked = 0;
  for (const { node } of effectiveSubjects(request)) {
    for (const slot of grants.slotsOfNode(node)) {
      looked += 1;
      if (looked > MAX_LOOKED_AT) return;
      request.work.spend(LOOK_COST);
      const miss = missOf(request, places, slot);
      if (miss !== undefined) yield miss;
    }
  }
  for (const { rule, condition, deny } of grants.whats.match(request.question.permission).rules) {
    if (deny || (rule.resourceType !== undefined && rule.resourceType !== request.question.resource?.type)) continue;
    const lack = lackText(request.truthOf(condition));
    if (lack !== undefined) yield `rule ${rule.name} would allow it, but its condition ${lack}`;
  }
  if (looked === 0) yield `${formatSubject(request.question.subject)} holds no grant`;
}

/** `places`: where a grant would count. */
function missOf(request: DecisionRequest, places: ReadonlySet<number>, slot: number): string | undefined {
  const { state, question, now } = request;
  const { grants } = state;
  const grant = grants.at(slot)?.grant;
  if (grant === undefined || grant.effect === 'deny') return undefined;
  const includes = grants.whats.state(grants.whats.match(question.permission), grants.whatOf(slot)) === INCLUDES;
  const here = places.has(grants.resourceOf(slot));
  const reason = reasonOf(request, grant, includes, here, isLive(grant, now), grants.conditionOf(slot));
  if (reason === undefined) return undefined;
  return `${formatSubject(grant.subject)} holds ${whatText(grant)}${placeText(grant)} by grant ${grant.id}, but ${reason}`;
}

function reasonOf(
  request: DecisionRequest,
  grant: Grant,
  includes: boolean,
  here: boolean,
  lives: boolean,
  condition: number,
): string | undefined {
  const { resource } = request.question;
  if (!lives) return includes && here ? 'that expired' : undefined;
  if (!includes) return here ? lackOfGrant(request, grant) : undefined;
  if (!here) return `not ${resource === undefined ? 'on the whole tenant' : `on ${formatResource(resource)}`}`;
  if (grant.resource === undefined && isGuarded(request.state, resource)) {
    return 'only a grant on that very resource reaches it';
  }
  const lack = lackText(request.truthOf(condition));
  return lack === undefined ? undefined : `its condition ${lack}`;
}

/** A grant outlives its role: a policy without it may come and go. */
function lackOfGrant({ state, question }: DecisionRequest, { what }: Grant): string {
  if (what.kind === 'role' && !state.grants.whats.hasRole(what.role)) return `the policy has no role ${what.role}`;
  const name = what.kind === 'role' ? `role ${what.role}` : `permission ${what.permission}`;
  return `${name} does not include ${question.permission}`;
}

function lackText(truth: Truth): string | undefined {
  if (truth === true) return undefined;
  return truth === false ? 'is false' : `needs ${truth.join(', ') || 'another release'}`;
}
