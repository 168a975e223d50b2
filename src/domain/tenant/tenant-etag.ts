import { DomainError } from '../errors.ts';
import type { TenantDocument } from './tenant.ts';

// What the use cases that change a tenant tell of it.

/** Clearing the outbox makes a version too, so the etag is of what callers see: it changes with `updatedAt`, which only grows. */
export function etagOf(document: TenantDocument): string {
  return `t${document.updatedAt.toString(36)}`;
}

export function tenantNotFound(tenant: string): DomainError {
  return new DomainError('TENANT_NOT_FOUND', `there is no tenant \`${tenant}\``);
}

export function tenantChanged(): DomainError {
  return new DomainError('PRECONDITION_FAILED', 'the tenant is not the one with this etag any more; read it again');
}
