import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { keyOfTyped } from './identifier.ts';
import type { IdentityPorts } from './ports.ts';
import type { UserDocument, UserSelector } from './use-cases.ts';
import { requireUser, userNotFound, usersOf } from './user.ts';

/** By id, or by an identifier as a person would type it. Throws TENANT_NOT_FOUND, USER_NOT_FOUND. */
export async function getUser(
  ports: Pick<IdentityPorts, 'store' | 'tenants'>,
  call: CallContext,
  tenant: string,
  selector: UserSelector,
): Promise<UserDocument> {
  await requireTenant(ports.tenants, tenant, call.signal);
  if (selector.kind === 'id') return await requireUser(ports.store, tenant, selector.userId, call.signal);
  const key = keyOfTyped(selector.identifier);
  const user = key === undefined ? undefined : await usersOf(ports.store).find(tenant, key, call.signal);
  if (user === undefined || user.status === 'deleting') throw userNotFound();
  return user;
}
