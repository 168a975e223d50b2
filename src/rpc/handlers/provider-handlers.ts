import { create } from '@bufbuild/protobuf';
import {
  CreateProviderResponseSchema,
  DeleteProviderResponseSchema,
  GetProviderResponseSchema,
  ListProvidersResponseSchema,
  type ProviderService,
  UpdateProviderResponseSchema,
} from '../../../gen/sallyport/v1/provider_pb.ts';
import type { FederationUseCases } from '../../domain/federation/use-cases.ts';
import { checkId } from '../../domain/subject.ts';
import { parseTenantId } from '../../domain/tenant/tenant.ts';
import { Violations } from '../../domain/violations.ts';
import { toProvider } from '../convert/to-provider.ts';
import type { Handlers } from '../method.ts';
import { parsePage } from '../parse/parse-page.ts';
import { parseCreateProvider, parseUpdateProvider } from '../parse/parse-provider.ts';
import { parseEtag } from '../parse/parse-text.ts';

export function providerHandlers(
  federation: Pick<
    FederationUseCases,
    'createProvider' | 'getProvider' | 'listProviders' | 'updateProvider' | 'deleteProvider'
  >,
): Handlers<typeof ProviderService> {
  return {
    createProvider: async (call, request) => {
      const violations = new Violations();
      const input = parseCreateProvider(request, violations);
      violations.throwIfAny();
      const provider = await federation.createProvider(call, input);
      return create(CreateProviderResponseSchema, { provider: toProvider(provider) });
    },
    getProvider: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const providerId = checkId(request.providerId, 'provider_id', violations);
      violations.throwIfAny();
      const provider = await federation.getProvider(call, tenant, providerId);
      return create(GetProviderResponseSchema, { provider: toProvider(provider) });
    },
    listProviders: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const page = parsePage(request, violations);
      violations.throwIfAny();
      const { providers, nextPageToken } = await federation.listProviders(call, tenant, page);
      return create(ListProvidersResponseSchema, { providers: providers.map(toProvider), nextPageToken });
    },
    updateProvider: async (call, request) => {
      const violations = new Violations();
      const input = parseUpdateProvider(request, violations);
      violations.throwIfAny();
      const provider = await federation.updateProvider(call, input);
      return create(UpdateProviderResponseSchema, { provider: toProvider(provider) });
    },
    deleteProvider: async (call, request) => {
      const violations = new Violations();
      const tenant = parseTenantId(request.tenant, violations);
      const providerId = checkId(request.providerId, 'provider_id', violations);
      const etag = parseEtag(request.etag, violations);
      violations.throwIfAny();
      await federation.deleteProvider(call, tenant, providerId, etag);
      return create(DeleteProviderResponseSchema);
    },
  };
}
