import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LoginSecrets, ProviderClient } from '../../src/domain/federation/identity-providers.ts';
import { createIdentityProviders } from '../../src/federation/create-identity-providers.ts';
import { createProviderFetch } from '../../src/federation/provider-fetch.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { type RealProvider, startRealProvider } from '../support/real-provider.ts';

// The adapter against the package oidc-provider: what a provider by other hands than ours makes of our requests, and we of its answers.

const REDIRECT_URI = 'https://app.example/callback';

let real: RealProvider;
before(async () => {
  real = await startRealProvider(REDIRECT_URI);
});
after(() => real[Symbol.asyncDispose]());

function adapter() {
  const fetch = createProviderFetch({ logger: silentLogger(), allowedNetworks: ['127.0.0.1'], extraCa: real.ca });
  return createIdentityProviders({ fetch, clock: systemClock() });
}

function clientOf(more: Partial<ProviderClient> = {}): ProviderClient {
  return {
    kind: { kind: 'oidc', issuer: real.issuer },
    clientId: real.clientId,
    clientSecret: real.clientSecret,
    scopes: ['openid', 'email', 'profile'],
    revision: '1',
    ...more,
  };
}

function secrets(more: Partial<LoginSecrets> = {}): LoginSecrets {
  const texts = { state: 's'.repeat(43), nonce: 'n'.repeat(43), codeVerifier: 'v'.repeat(43) };
  return { ...texts, redirectUri: REDIRECT_URI, ...more };
}

test('a login gives the verified person, and the profile from the userinfo endpoint', async () => {
  const providers = adapter();
  const parameters = await real.browse(await providers.authorizationUrl(clientOf(), secrets()));
  assert.equal(parameters.get('iss'), real.issuer, 'it sends RFC 9207, so that is checked');
  const person = await providers.exchange(clientOf(), secrets(), parameters);
  assert.ok(person.kind === 'vouched');
  assert.deepEqual([person.issuer, person.subject], [real.issuer, 'ada-1']);
  assert.deepEqual(await person.profile(), { verifiedEmail: 'ada-1@example.com', name: 'ada-1' });
});

test('a provider that is asked for a recent authentication says when it was', async () => {
  const providers = adapter();
  const client = clientOf({ kind: { kind: 'oidc', issuer: real.issuer, maxAuthenticationAgeMs: 60_000 } });
  const parameters = await real.browse(await providers.authorizationUrl(client, secrets()));
  assert.equal((await providers.exchange(client, secrets(), parameters)).kind, 'vouched');
});

test('a code that is replayed is refused by the provider', async () => {
  const providers = adapter();
  const parameters = await real.browse(await providers.authorizationUrl(clientOf(), secrets()));
  assert.equal((await providers.exchange(clientOf(), secrets(), parameters)).kind, 'vouched');
  assert.deepEqual(await providers.exchange(clientOf(), secrets(), parameters), {
    kind: 'failed',
    failure: 'PROVIDER_REFUSED',
    because: 'invalid_grant',
  });
});

test('a code that was stolen is worth nothing without the verifier, the secret, or the redirect URI of its login', async () => {
  const providers = adapter();
  const cases = [
    { login: { codeVerifier: 'w'.repeat(43) }, because: 'invalid_grant' },
    { login: { redirectUri: 'https://app.example/other' }, because: 'invalid_grant' },
    { client: { clientSecret: 'wrong', revision: '2' }, because: 'invalid_client' },
    { client: { clientId: 'unknown', revision: '3' }, because: 'invalid_client' },
  ];
  for (const { login, client, because } of cases) {
    const parameters = await real.browse(await providers.authorizationUrl(clientOf(), secrets()));
    const outcome = await providers.exchange(clientOf(client), secrets(login), parameters);
    assert.deepEqual(outcome, { kind: 'failed', failure: 'PROVIDER_REFUSED', because });
  }
});

test('a code of another login is not taken into this one: state and nonce are its own', async () => {
  const providers = adapter();
  const other = secrets({ state: 't'.repeat(43), nonce: 'm'.repeat(43) });
  const stolen = await real.browse(await providers.authorizationUrl(clientOf(), other));
  const invalid = { kind: 'failed', failure: 'RESPONSE_INVALID' };
  const byState = await providers.exchange(clientOf(), secrets(), stolen);
  assert.deepEqual({ ...byState, because: undefined }, { ...invalid, because: undefined });
  const byNonce = await providers.exchange(clientOf(), secrets(), new Map([...stolen, ['state', secrets().state]]));
  assert.deepEqual(byNonce, { ...invalid, because: 'jwt_claim_comparison_failed nonce' });
});

test('a user who clicks cancel has denied access', async () => {
  const providers = adapter();
  real.account = undefined;
  const parameters = await real.browse(await providers.authorizationUrl(clientOf(), secrets()));
  real.account = 'ada-1';
  assert.deepEqual(await providers.exchange(clientOf(), secrets(), parameters), {
    kind: 'failed',
    failure: 'ACCESS_DENIED',
    because: 'access_denied',
  });
});

test('the answer of another provider is not taken for one of this (mix-up, RFC 9207)', async () => {
  const providers = adapter();
  const parameters = await real.browse(await providers.authorizationUrl(clientOf(), secrets()));
  for (const iss of ['https://attacker.example', `${real.issuer}/`]) {
    const outcome = await providers.exchange(clientOf(), secrets(), new Map([...parameters, ['iss', iss]]));
    assert.ok(outcome.kind === 'failed' && outcome.failure === 'RESPONSE_INVALID', iss);
  }
  const silent = new Map([...parameters].filter(([name]) => name !== 'iss'));
  const outcome = await providers.exchange(clientOf(), secrets(), silent);
  assert.ok(outcome.kind === 'failed' && outcome.failure === 'RESPONSE_INVALID', 'it says that it sends it');
});
