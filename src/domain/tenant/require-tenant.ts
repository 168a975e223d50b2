import { DomainError } from '../errors.ts';
import { SYSTEM_TENANT, type TenantDirectory, type TenantSettings } from './tenant.ts';

/** The tenant's settings. Throws TENANT_NOT_FOUND for a tenant that is not there. */
export async function requireTenant(
  tenants: TenantDirectory,
  tenant: string,
  signal?: AbortSignal,
): Promise<TenantSettings> {
  const settings = tenants.peek(tenant) ?? (await tenants.settings(tenant, signal));
  if (settings === undefined) throw new DomainError('TENANT_NOT_FOUND', `there is no tenant \`${tenant}\``);
  return settings;
}

/**
 * As `requireTenant`, and throws RESERVED_TENANT for `sallyport`: it holds the rights of calling services, and nobody may log in
 * or get a token there.
 */
export async function requireLoginTenant(
  tenants: TenantDirectory,
  tenant: string,
  signal?: AbortSignal,
): Promise<TenantSettings> {
  if (tenant === SYSTEM_TENANT) {
    throw new DomainError(
      'RESERVED_TENANT',
      `nobody logs in to tenant \`${SYSTEM_TENANT}\`: it is for calling services`,
    );
  }
  return await requireTenant(tenants, tenant, signal);
}
