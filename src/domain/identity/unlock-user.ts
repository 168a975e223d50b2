import { loginUnlocked } from '../audit/audit-events.ts';
import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { identifierKey } from './identifier.ts';
import type { IdentityParts } from './ports.ts';
import { requireUser } from './user.ts';

/**
 * Forgets failed passwords and codes of a user and ends the locks that they brought, but not those of whole networks. A password that must be
 * reset stays so. Repeating it is no error; a kill in the middle leaves some of it done. Throws TENANT_NOT_FOUND, USER_NOT_FOUND.
 */
export async function unlockUser(
  parts: IdentityParts,
  call: CallContext,
  tenant: string,
  userId: string,
): Promise<void> {
  await requireTenant(parts.tenants, tenant, call.signal);
  const user = await requireUser(parts.store, tenant, userId, call.signal);
  await parts.loginGuard.unlock(tenant, userId, user.identifiers.map(identifierKey), call.signal);
  parts.audit.note(loginUnlocked(call, tenant, userId, parts.clock.now()));
}
