import type { CallContext } from '../call.ts';
import { readPage } from '../page.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import type { IdentityPorts } from './ports.ts';
import type { UsersPage } from './use-cases.ts';
import { usersOf } from './user.ts';

/** One page of 1 to 1,000 in the order of ids, without those that are being deleted. Throws TENANT_NOT_FOUND, INVALID_ARGUMENT. */
export async function listUsers(
  ports: Pick<IdentityPorts, 'store' | 'tenants'>,
  call: CallContext,
  tenant: string,
  page: { readonly size: number; readonly token: string },
): Promise<UsersPage> {
  await requireTenant(ports.tenants, tenant, call.signal);
  const { documents, nextPageToken } = await readPage('users', usersOf(ports.store), tenant, page, call.signal);
  return { users: documents.filter(({ status }) => status !== 'deleting'), nextPageToken };
}
