import type { CallContext } from '../call.ts';
import { DomainError } from '../errors.ts';
import { requireLoginTenant } from '../tenant/require-tenant.ts';
import type { FederationPorts } from './federation-ports.ts';
import { newLogin } from './login-state.ts';
import { clientOf, requireProvider } from './provider.ts';
import type { BeginLoginInput, BegunLogin } from './use-cases.ts';

/**
 * Begins a login by an identity provider. The provider is asked first, where it is not known yet, so that one that does not answer leaves
 * nothing behind. Throws as FederationUseCases.beginLogin.
 */
export async function beginLogin(
  ports: FederationPorts,
  call: CallContext,
  { tenant, providerId, redirectUri }: BeginLoginInput,
): Promise<BegunLogin> {
  await requireLoginTenant(ports.tenants, tenant, call.signal);
  const provider = await requireProvider(ports.store, tenant, providerId, call.signal);
  if (provider.disabled) throw new DomainError('PROVIDER_DISABLED', 'the identity provider is disabled');
  if (!provider.redirectUris.includes(redirectUri)) {
    const violation = { field: 'redirect_uri', description: 'must be one of the redirect URIs of the provider' };
    throw new DomainError('INVALID_ARGUMENT', `${violation.field}: ${violation.description}`, {
      violations: [violation],
    });
  }
  const login = newLogin(ports, tenant, providerId, redirectUri);
  const client = await clientOf(ports.sealer, provider);
  const authorizationUrl = await ports.identityProviders.authorizationUrl(client, login.secrets);
  await login.store(call);
  return { kind: 'begun', authorizationUrl, browserBinding: login.browserBinding, expiresAt: login.expiresAt };
}
