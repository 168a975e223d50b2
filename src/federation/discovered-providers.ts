import {
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  type ServerMetadata,
} from 'openid-client';
import { DomainError } from '../domain/errors.ts';
import type { ProviderClient } from '../domain/federation/identity-providers.ts';
import type { Clock } from '../platform/clock.ts';
import { throwIfUnavailable } from './exchange-failure.ts';
import type { ProviderFetch } from './provider-fetch.ts';

// OpenID providers by what they publish about themselves (OpenID Connect Discovery 1.0), in memory for an hour and bounded. Their keys are kept
// with them by openid-client: five minutes, and an unknown key id is asked for again at most once a minute.

const MAX_AGE_MS = 3_600_000;
const MAX_PROVIDERS = 1_000;
const TIMEOUT_S = 5;

/** Signatures that only the provider can make. `none` and the HMACs, whose key is the client secret, are never taken (RFC 8725 section 3.1). */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

export interface DiscoveredProviders {
  /** Throws UNAVAILABLE, PROVIDER_MISCONFIGURED. Of any number at once one asks the provider. */
  configurationOf(provider: ProviderClient, issuer: string): Promise<Configuration>;
}

interface Known {
  readonly configuration: Promise<Configuration>;
  /** Monotonic ms. */
  readonly askedAt: number;
}

export function createDiscoveredProviders(fetch: ProviderFetch, clock: Clock): DiscoveredProviders {
  // In order of asking: the first is the oldest.
  const known = new Map<string, Known>();
  return {
    configurationOf: (provider, issuer) => {
      const found = known.get(provider.revision);
      if (found !== undefined && clock.monotonic() - found.askedAt < MAX_AGE_MS) return found.configuration;
      known.delete(provider.revision);
      const configuration = discover(provider, issuer, fetch);
      const entry = { configuration, askedAt: clock.monotonic() };
      known.set(provider.revision, entry);
      // A failure is not remembered: the next login asks again.
      configuration.catch(() => {
        if (known.get(provider.revision) === entry) known.delete(provider.revision);
      });
      const [oldest] = known.keys();
      if (known.size > MAX_PROVIDERS && oldest !== undefined) known.delete(oldest);
      return configuration;
    },
  };
}

async function discover(provider: ProviderClient, issuer: string, fetch: ProviderFetch): Promise<Configuration> {
  const published = await ask(provider, issuer, fetch);
  const metadata = usable(published, issuer);
  const configuration = new Configuration(
    metadata,
    provider.clientId,
    {},
    clientAuthentication(metadata, provider.clientSecret),
  );
  configuration[customFetch] = fetch;
  configuration.timeout = TIMEOUT_S;
  // Without this openid-client takes the TLS connection to the token endpoint for the signature (OpenID Connect Core section 3.1.3.7 allows it).
  enableNonRepudiationChecks(configuration);
  return configuration;
}

async function ask({ clientId }: ProviderClient, issuer: string, fetch: ProviderFetch): Promise<ServerMetadata> {
  try {
    const options = { [customFetch]: fetch, timeout: TIMEOUT_S };
    const found = await discovery(new URL(issuer), clientId, undefined, None(), options);
    return found.serverMetadata();
  } catch (error) {
    throwIfUnavailable(error);
    throw misconfigured('its discovery document is none, or names another issuer');
  }
}

/** What may be used of a discovery document. Throws PROVIDER_MISCONFIGURED. */
function usable(published: ServerMetadata, issuer: string): ServerMetadata {
  // openid-client compares as URLs, and lets Microsoft's common endpoints name another issuer; tokens are compared character by character.
  if (published.issuer !== issuer) throw misconfigured('its discovery document names another issuer');
  const endpoints = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
  for (const name of endpoints) {
    if (URL.parse(published[name] ?? '')?.protocol !== 'https:') throw misconfigured(`its ${name} is no https URL`);
  }
  const offered = published.id_token_signing_alg_values_supported ?? ['RS256'];
  const accepted = offered.filter((algorithm) => ALGORITHMS.includes(algorithm));
  if (accepted.length === 0) throw misconfigured('it signs ID tokens with no asymmetric algorithm that is known here');
  return { ...published, id_token_signing_alg_values_supported: accepted };
}

function clientAuthentication(metadata: ServerMetadata, secret: string) {
  // OpenID Connect Discovery section 3: the default is client_secret_basic.
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  if (methods.includes('client_secret_basic')) return ClientSecretBasic(secret);
  if (methods.includes('client_secret_post')) return ClientSecretPost(secret);
  throw misconfigured('its token endpoint takes no client secret');
}

function misconfigured(problem: string): DomainError {
  return new DomainError('PROVIDER_MISCONFIGURED', `the identity provider cannot be used: ${problem}`);
}
