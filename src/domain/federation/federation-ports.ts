import type { IdentityPorts } from '../identity/ports.ts';
import type { IdentityProviders } from './identity-providers.ts';

/** What the service hands to federation: a login by a provider ends like any other. */
export interface FederationPorts extends IdentityPorts {
  readonly identityProviders: IdentityProviders;
}
