import type { IdentityProviders, ProviderClient } from '../domain/federation/identity-providers.ts';
import type { Clock } from '../platform/clock.ts';
import { createDiscoveredProviders } from './discovered-providers.ts';
import { exchangeGithub, type GithubEndpoints, githubConfiguration, githubEndpoints } from './github-protocol.ts';
import { authorizationUrlOf, exchangeOidc } from './oidc-protocol.ts';
import type { ProviderFetch } from './provider-fetch.ts';

/** The federation port over openid-client. `github`: for tests. */
export function createIdentityProviders(ports: {
  readonly fetch: ProviderFetch;
  readonly clock: Clock;
  readonly github?: GithubEndpoints | undefined;
}): IdentityProviders {
  const { fetch, clock, github = githubEndpoints } = ports;
  const discovered = createDiscoveredProviders(fetch, clock);
  return {
    authorizationUrl: async (provider, login) => {
      const issuer = issuerOf(provider);
      if (issuer === undefined) {
        return await authorizationUrlOf(githubConfiguration(provider, github, fetch), provider, login, 'oauth');
      }
      return await authorizationUrlOf(await discovered.configurationOf(provider, issuer), provider, login, 'oidc');
    },
    exchange: async (provider, login, parameters) => {
      const issuer = issuerOf(provider);
      if (issuer === undefined) {
        return await exchangeGithub(githubConfiguration(provider, github, fetch), github, login, parameters);
      }
      const configuration = await discovered.configurationOf(provider, issuer);
      return await exchangeOidc(configuration, provider, login, parameters, clock);
    },
  };
}

/** The issuer of an OpenID provider; undefined: it is none. */
function issuerOf({ kind }: ProviderClient): string | undefined {
  switch (kind.kind) {
    case 'oidc':
      return kind.issuer;
    case 'google':
      return 'https://accounts.google.com';
    case 'microsoft':
      return `https://login.microsoftonline.com/${kind.tenantId}/v2.0`;
    case 'github':
      return undefined;
  }
}
