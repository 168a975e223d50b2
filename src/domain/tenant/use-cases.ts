import type { CallContext } from '../call.ts';
import type { TenantSettings } from './tenant.ts';

/** A tenant with its settings as they are in force. */
export interface Tenant {
  readonly name: string;
  readonly displayName: string;
  readonly disabled: boolean;
  readonly settings: TenantSettings;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly etag: string;
}

export interface CreateTenantInput {
  readonly tenant: string;
  readonly displayName: string;
  readonly settings: TenantSettings;
  /** Lower-case UUID; empty: not repeatable. */
  readonly requestId: string;
}

/** What is undefined stays as it is. */
export interface UpdateTenantInput {
  readonly tenant: string;
  /** Empty: whatever it is now. */
  readonly etag: string;
  readonly displayName?: string | undefined;
  readonly settings?: TenantSettings | undefined;
  readonly disabled?: boolean | undefined;
}

export interface TenantsPage {
  readonly tenants: readonly Tenant[];
  readonly nextPageToken: string;
}

export interface TenantUseCases {
  /** Throws ALREADY_EXISTS, REQUEST_ID_REUSED, INVALID_ARGUMENT. */
  createTenant(call: CallContext, input: CreateTenantInput): Promise<Tenant>;
  /** Throws TENANT_NOT_FOUND. Reads the store. */
  getTenant(call: CallContext, tenant: string): Promise<Tenant>;
  /** Throws INVALID_ARGUMENT for a page token that is none. `pageSize` is 1 to 1,000. */
  listTenants(call: CallContext, pageSize: number, pageToken: string): Promise<TenantsPage>;
  /** Throws TENANT_NOT_FOUND, RESERVED_TENANT, PRECONDITION_FAILED, INVALID_ARGUMENT. */
  updateTenant(call: CallContext, input: UpdateTenantInput): Promise<Tenant>;
  /** `etag` empty: whatever it is now. Throws TENANT_NOT_FOUND, RESERVED_TENANT, PRECONDITION_FAILED. */
  deleteTenant(call: CallContext, tenant: string, etag: string): Promise<void>;
}
