import { DomainError } from '../errors.ts';
import { formatSubject } from '../subject.ts';
import { SYSTEM_TENANT } from '../tenant/tenant.ts';
import type { DecisionIndex } from './decision-index.ts';
import { isLive, sameResource } from './grant.ts';
import type { GrantsDraft } from './grant-draft.ts';
import type { Grant } from './use-cases.ts';

// Whoever holds role `admin` on `tenant:sallyport` can give rights to calling services. Without one of them nobody could ever again, short
// of `sallyport admin recover`; so no write takes away the last.

const ADMIN_ROLE = 'admin';
const SYSTEM_RESOURCE = { type: 'tenant', id: SYSTEM_TENANT } as const;

/** Throws RESERVED_TENANT when tenant `sallyport` has an admin and would have none, or only one whose grant expires. `now` is epoch ms. */
export function keepLastAdmin(index: DecisionIndex, draft: GrantsDraft, now: number): void {
  const before = standing(index, index.grantsOn(SYSTEM_RESOURCE), [], now);
  if (standing(index, draft.on(SYSTEM_RESOURCE), draft.put(), now) >= before) return;
  throw new DomainError(
    'RESERVED_TENANT',
    `tenant \`${SYSTEM_TENANT}\` would be left without an admin; make another one first: role admin on ${SYSTEM_RESOURCE.type}:${SYSTEM_RESOURCE.id}, without expiry`,
  );
}

/** 2: there is an admin for good. 1: one for a time. 0: none. A subject with any deny that reaches the resource does not count. */
function standing(index: DecisionIndex, onResource: readonly Grant[], put: readonly Grant[], now: number): 0 | 1 | 2 {
  const denied = new Set<string>();
  for (const grant of [...onResource, ...put]) {
    const reaches = grant.resource === undefined || sameResource(grant.resource, SYSTEM_RESOURCE);
    if (grant.effect === 'deny' && reaches && isLive(grant, now)) denied.add(formatSubject(grant.subject));
  }
  let best: 0 | 1 | 2 = 0;
  for (const grant of onResource) {
    const isAdmin = grant.effect === 'allow' && grant.what.kind === 'role' && grant.what.role === ADMIN_ROLE;
    if (!isAdmin || !isLive(grant, now) || denied.has(formatSubject(grant.subject))) continue;
    if (index.isDisabled(grant.subject) || isDeniedEverywhere(index, grant, now)) continue;
    if (grant.expiresAt === undefined) return 2;
    best = 1;
  }
  return best;
}

/** Denies on the whole tenant reach this resource too. One that the write is about to remove counts still: that only errs on the safe side. */
function isDeniedEverywhere(index: DecisionIndex, admin: Grant, now: number): boolean {
  return index
    .grantsOf(admin.subject)
    .some((grant) => grant.effect === 'deny' && grant.resource === undefined && isLive(grant, now));
}
