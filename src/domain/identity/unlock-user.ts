import { loginUnlocked } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { IdentityParts } from './ports.ts';
import { swapUser, userNotFound } from './user.ts';
import { unlockUserEffect } from './user-effects.ts';

/**
 * Forgets failed passwords and codes of a user and ends the locks that they brought, but not those of whole networks. A password that must be
 * reset stays so. One swap records that it is to be done and its event; a kill after it leaves both to any replica. Repeating it is no error.
 * Throws TENANT_NOT_FOUND, USER_NOT_FOUND.
 */
export async function unlockUser(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  userId: string,
): Promise<void> {
  await requireTenant(parts.tenants, tenant, call.signal);
  const now = parts.clock.now();
  const written = await swapUser<boolean>(
    parts,
    tenant,
    userId,
    (user) => {
      if (user === undefined || user.status === 'deleting') return { kind: 'keep', result: false };
      const outbox = [...(user.outbox ?? []), unlockUserEffect(now), loginUnlocked(call, user, now)];
      return { kind: 'write', draft: { ...user, outbox }, result: true };
    },
    call.signal,
  );
  if (written.kind !== 'done' || !written.result || written.document === undefined) throw userNotFound();
  await parts.outbox.settle('users', written.document, call.signal);
}
