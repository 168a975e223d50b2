import { create } from '@bufbuild/protobuf';
import {
  type CreateTenantRequest,
  CreateTenantResponseSchema,
  DeleteTenantResponseSchema,
  GetTenantResponseSchema,
  ListTenantsResponseSchema,
  type TenantService,
  type UpdateTenantRequest,
  UpdateTenantResponseSchema,
} from '../../../gen/sallyport/v1/tenant_pb.ts';
import { limits } from '../../domain/limits.ts';
import { defaultTenantSettings, parseTenantId } from '../../domain/tenant/tenant.ts';
import type { CreateTenantInput, TenantUseCases, UpdateTenantInput } from '../../domain/tenant/use-cases.ts';
import { Violations } from '../../domain/violations.ts';
import { toTenant } from '../convert/to-tenant.ts';
import type { Handlers } from '../method.ts';
import { parsePage } from '../parse/parse-page.ts';
import { parseTenantSettings } from '../parse/parse-tenant-settings.ts';
import { optionalText, parseEtag, parseRequestId } from '../parse/parse-text.ts';

export function tenantHandlers(tenants: TenantUseCases): Handlers<typeof TenantService> {
  return {
    createTenant: async (call, request) => {
      const tenant = await tenants.createTenant(call, parseCreateTenant(request));
      return create(CreateTenantResponseSchema, { tenant: toTenant(tenant) });
    },
    getTenant: async (call, request) => {
      const violations = new Violations();
      const name = parseTenantId(request.tenant, violations);
      violations.throwIfAny();
      return create(GetTenantResponseSchema, { tenant: toTenant(await tenants.getTenant(call, name)) });
    },
    listTenants: async (call, request) => {
      const violations = new Violations();
      const { size, token } = parsePage(request, violations);
      violations.throwIfAny();
      const page = await tenants.listTenants(call, size, token);
      const { nextPageToken } = page;
      return create(ListTenantsResponseSchema, { tenants: page.tenants.map(toTenant), nextPageToken });
    },
    updateTenant: async (call, request) => {
      const tenant = await tenants.updateTenant(call, parseUpdateTenant(request));
      return create(UpdateTenantResponseSchema, { tenant: toTenant(tenant) });
    },
    deleteTenant: async (call, request) => {
      const violations = new Violations();
      if (request.tenant === '') violations.add('tenant', 'is required: the name of the tenant to erase');
      const name = parseTenantId(request.tenant, violations);
      const etag = parseEtag(request.etag, violations);
      violations.throwIfAny();
      await tenants.deleteTenant(call, name, etag);
      return create(DeleteTenantResponseSchema);
    },
  };
}

function parseCreateTenant(request: CreateTenantRequest): CreateTenantInput {
  const violations = new Violations();
  if (request.tenant === '') violations.add('tenant', 'is required: the name of the tenant to make');
  const { settings } = request;
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    displayName: optionalText(request.displayName, 'display_name', limits.displayNameChars, violations),
    settings: settings === undefined ? defaultTenantSettings : parseTenantSettings(settings, 'settings', violations),
    requestId: parseRequestId(request.requestId, violations),
  };
  violations.throwIfAny();
  return input;
}

function parseUpdateTenant(request: UpdateTenantRequest): UpdateTenantInput {
  const violations = new Violations();
  const { settings, displayName } = request;
  const input = {
    tenant: parseTenantId(request.tenant, violations),
    etag: parseEtag(request.etag, violations),
    displayName:
      displayName === undefined
        ? undefined
        : optionalText(displayName, 'display_name', limits.displayNameChars, violations),
    settings: settings === undefined ? undefined : parseTenantSettings(settings, 'settings', violations),
    disabled: request.disabled,
  };
  violations.throwIfAny();
  return input;
}
