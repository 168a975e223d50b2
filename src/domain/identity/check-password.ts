import type { CallContext } from '../call.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { judgePassword, ownerOf, type PasswordVerdict } from './judge-password.ts';
import type { IdentityParts } from './ports.ts';
import type { CheckPasswordInput } from './use-cases.ts';
import { requireUser } from './user.ts';

/** What the tenant's policy says of a password, for a form. Writes nothing. Throws TENANT_NOT_FOUND, USER_NOT_FOUND, INVALID_ARGUMENT. */
export async function checkPassword(
  parts: IdentityParts,
  call: CallContext,
  input: CheckPasswordInput,
): Promise<PasswordVerdict> {
  const { tenant, password, userId } = input;
  const settings = await requireTenant(parts.tenants, tenant, call.signal);
  const known =
    userId === ''
      ? { identifiers: [], hasFactor: false }
      : ownerOf(await requireUser(parts.store, tenant, userId, call.signal));
  const identifiers = [...known.identifiers, ...input.context.map((value) => ({ value }))];
  const owner = { ...known, identifiers };
  return await judgePassword(parts, call, tenant, settings, { password, field: 'password', owner });
}
