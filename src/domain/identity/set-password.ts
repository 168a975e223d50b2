import { userEvent } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { ownerOf, requireGoodPassword } from './judge-password.ts';
import type { IdentityParts } from './ports.ts';
import type { UserDocument } from './use-cases.ts';
import { newEpoch, requireUser, swapUser, userNotFound, withPassword } from './user.ts';

/**
 * Gives a user a new password and ends everything that the user carries, by one swap. Of two at once the later swap's password stays,
 * and the sessions of both end. A kill before the swap changes nothing; after it the effect is recorded (see newEpoch).
 * Throws TENANT_NOT_FOUND, USER_NOT_FOUND, INVALID_ARGUMENT, PASSWORD_REJECTED.
 */
export async function setPassword(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  userId: string,
  password: string,
  mustChange: boolean,
): Promise<UserDocument> {
  const settings = await requireTenant(parts.tenants, tenant, call.signal);
  const owner = ownerOf(await requireUser(parts.store, tenant, userId, call.signal));
  await requireGoodPassword(parts, call, tenant, settings, { password, field: 'password', owner });
  const hash = await parts.hasher.hash(password, call.signal);
  const now = parts.clock.now();
  const written = await swapUser<boolean>(
    parts,
    tenant,
    userId,
    (user) => {
      if (user === undefined || user.status === 'deleting') return { kind: 'keep', result: false };
      const ended = newEpoch(user, settings, now);
      const outbox = [...ended.outbox, userEvent('password.set', call, user, now)];
      const draft = { ...withPassword(user, hash, now, mustChange), ...ended, outbox };
      return { kind: 'write', draft, result: true };
    },
    call.signal,
  );
  if (written.kind !== 'done' || !written.result || written.document === undefined) throw userNotFound();
  await parts.outbox.settle('users', written.document, call.signal);
  return await requireUser(parts.store, tenant, userId, call.signal);
}
