import { readPage } from '../page.ts';
import { requireTenant } from '../tenant/require-tenant.ts';
import { beginLogin } from './begin-login.ts';
import { createProvider } from './create-provider.ts';
import { deleteProvider } from './delete-provider.ts';
import type { FederationPorts } from './federation-ports.ts';
import { finishLogin } from './finish-login.ts';
import { providersOf, requireProvider, toProvider } from './provider.ts';
import { updateProvider } from './update-provider.ts';
import type { FederationUseCases } from './use-cases.ts';

/** The use cases of federation over the given ports. */
export function createFederation(ports: FederationPorts): FederationUseCases {
  return {
    createProvider: (call, input) => createProvider(ports, call, input),
    getProvider: async (call, tenant, providerId) => {
      await requireTenant(ports.tenants, tenant, call.signal);
      return toProvider(await requireProvider(ports.store, tenant, providerId, call.signal));
    },
    listProviders: async (call, tenant, page) => {
      await requireTenant(ports.tenants, tenant, call.signal);
      const { documents, nextPageToken } = await readPage(
        'providers',
        providersOf(ports.store),
        tenant,
        page,
        call.signal,
      );
      return { providers: documents.map(toProvider), nextPageToken };
    },
    updateProvider: (call, input) => updateProvider(ports, call, input),
    deleteProvider: (call, tenant, providerId, etag) => deleteProvider(ports, call, tenant, providerId, etag),
    beginLogin: (call, input) => beginLogin(ports, call, input),
    finishLogin: (call, input) => finishLogin(ports, call, input),
  };
}
