import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { IdentityParts } from './ports.ts';
import type { FederatedLink, UserDocument } from './use-cases.ts';
import { keysOf, linkKey, newEpoch, requireUser, swapUser, userNotFound } from './user.ts';

/**
 * Takes a link to an identity provider from a user and ends everything that the user carries, by one swap: a login by that link that raced it
 * carries the old epoch. Of two at once one removes it and the other finds none.
 * Throws TENANT_NOT_FOUND, USER_NOT_FOUND (also when the user has no such link).
 */
export async function removeLink(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  userId: string,
  link: Pick<FederatedLink, 'issuer' | 'subject'>,
): Promise<UserDocument> {
  const settings = await requireTenant(parts.tenants, tenant, call.signal);
  const now = parts.clock.now();
  const removed = linkKey(link);
  const written = await swapUser<boolean>(
    parts,
    tenant,
    userId,
    (user) => {
      const links = user?.links?.filter((each) => linkKey(each) !== removed) ?? [];
      if (user === undefined || links.length === (user.links?.length ?? 0)) return { kind: 'keep', result: false };
      const ended = newEpoch(user, settings, now);
      const told = userEvent('user.unlinked', call, user, now, { details: { issuer: link.issuer } });
      const next = { ...user, ...ended, links, outbox: [...ended.outbox, told] };
      return { kind: 'write', draft: { ...next, keys: keysOf(next) }, result: true };
    },
    call.signal,
  );
  if (written.kind !== 'done' || !written.result || written.document === undefined) throw userNotFound();
  await parts.outbox.settle('users', written.document, call.signal);
  return await requireUser(parts.store, tenant, userId, call.signal);
}
