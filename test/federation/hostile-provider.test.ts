import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import type {
  FailedExchange,
  LoginSecrets,
  ProviderClient,
  VouchedPerson,
} from '../../src/domain/federation/identity-providers.ts';
import { createIdentityProviders } from '../../src/federation/create-identity-providers.ts';
import { createProviderFetch } from '../../src/federation/provider-fetch.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { type Mischief, type ScriptedProvider, startScriptedProvider } from '../support/scripted-provider.ts';

// What a provider, or whoever stands between, may send that no honest one does.

const REDIRECT_URI = 'https://app.example/callback';
const login: LoginSecrets = {
  state: 's'.repeat(43),
  nonce: 'n'.repeat(43),
  codeVerifier: 'v'.repeat(43),
  redirectUri: REDIRECT_URI,
};
const ada = { sub: 'ada-1', email: 'ada@example.com', email_verified: true };

let provider: ScriptedProvider;
before(async () => {
  provider = await startScriptedProvider();
});
after(() => provider[Symbol.asyncDispose]());
beforeEach(() => {
  provider.mischief = {};
});

const clientOf = (more: Partial<ProviderClient> = {}): ProviderClient => ({
  kind: { kind: 'oidc', issuer: provider.issuer },
  clientId: provider.clientId,
  clientSecret: provider.clientSecret,
  scopes: ['openid'],
  revision: '1',
  ...more,
});

function adapter(timeoutMs?: number) {
  const options = { logger: silentLogger(), allowedNetworks: ['127.0.0.1'], extraCa: provider.ca, timeoutMs };
  return createIdentityProviders({ fetch: createProviderFetch(options), clock: systemClock() });
}

/** A login at a provider that is honest up to the callback. */
async function exchange(
  mischief: Mischief,
  person: typeof ada = ada,
  client: ProviderClient = clientOf(),
): Promise<VouchedPerson | FailedExchange> {
  const providers = adapter();
  const parameters = provider.login(await providers.authorizationUrl(client, login), person);
  provider.mischief = mischief;
  return await providers.exchange(client, login, parameters);
}

async function invalidBecause(mischief: Mischief, client: ProviderClient = clientOf()): Promise<string> {
  const outcome = await exchange(mischief, ada, client);
  assert.ok(outcome.kind === 'failed' && outcome.failure === 'RESPONSE_INVALID', JSON.stringify(outcome));
  return outcome.because;
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const changed = (more: JWTPayload) => ({ claims: (claims: JWTPayload) => ({ ...claims, ...more }) });

test('the stand-in is a provider like others while nobody makes it hostile', async () => {
  const outcome = await exchange({});
  assert.ok(outcome.kind === 'vouched', JSON.stringify(outcome));
});

test('an ID token of another issuer, for another client or login, or of another time is not taken', async () => {
  assert.equal(await invalidBecause(changed({ iss: 'https://attacker.example' })), 'jwt_claim_comparison_failed iss');
  assert.equal(await invalidBecause(changed({ iss: `${provider.issuer}/` })), 'jwt_claim_comparison_failed iss');
  assert.equal(await invalidBecause(changed({ aud: 'another' })), 'jwt_claim_comparison_failed aud');
  assert.equal(
    await invalidBecause(changed({ aud: [provider.clientId, 'b'], azp: 'b' })),
    'jwt_claim_comparison_failed azp',
  );
  assert.equal(await invalidBecause(changed({ aud: [provider.clientId, 'b'] })), 'jwt_claim_comparison_failed aud');
  assert.equal(await invalidBecause(changed({ nonce: 'm'.repeat(43) })), 'jwt_claim_comparison_failed nonce');
  assert.equal(await invalidBecause(changed({ exp: seconds() - 31 })), 'jwt_timestamp_check_failed exp');
  assert.equal(
    await invalidBecause(changed({ iat: seconds() + 3600, exp: seconds() + 7200 })),
    'jwt_timestamp_check_failed iat',
  );
  assert.equal(await invalidBecause(changed({ nbf: seconds() + 3600 })), 'jwt_timestamp_check_failed nbf');
});

test('an ID token without what it must say is not taken', async () => {
  for (const claim of ['iss', 'aud', 'exp', 'iat', 'sub', 'nonce']) {
    await invalidBecause({
      claims: (claims) => Object.fromEntries(Object.entries(claims).filter(([name]) => name !== claim)),
    });
  }
  await invalidBecause({ token: () => '' });
  await invalidBecause({ token: () => 'a.b.c' });
  for (const sub of ['', 'x'.repeat(256), 'ada\u0000']) await invalidBecause(changed({ sub }));
});

test('an authentication at the provider that is too old, or not of a wanted kind, is not taken', async () => {
  const kind = { kind: 'oidc' as const, issuer: provider.issuer };
  const recent = clientOf({ kind: { ...kind, maxAuthenticationAgeMs: 3_600_000 } });
  const url = new URL(await adapter().authorizationUrl(recent, login));
  assert.deepEqual([url.searchParams.get('max_age'), url.searchParams.get('acr_values')], ['3600', null]);
  assert.equal((await exchange(changed({ auth_time: seconds() - 3000 }), ada, recent)).kind, 'vouched');
  assert.equal(
    await invalidBecause(changed({ auth_time: seconds() - 4000 }), recent),
    'jwt_timestamp_check_failed auth_time',
  );
  // A provider that does not say when is not taken at its silence.
  await invalidBecause({}, recent);
  await invalidBecause(changed({ auth_time: 'now' }), recent);

  const strong = clientOf({ kind: { ...kind, acrValues: ['urn:acme:mfa', 'urn:acme:key'] } });
  const asked = new URL(await adapter().authorizationUrl(strong, login));
  assert.deepEqual(
    [asked.searchParams.get('max_age'), asked.searchParams.get('acr_values')],
    [null, 'urn:acme:mfa urn:acme:key'],
  );
  assert.equal((await exchange(changed({ acr: 'urn:acme:key' }), ada, strong)).kind, 'vouched');
  for (const acr of ['urn:acme:pwd', 'urn:acme:mfa urn:acme:key', '', ['urn:acme:mfa'], undefined]) {
    assert.equal(await invalidBecause(changed({ acr }), strong), 'another acr');
  }
  assert.equal((await exchange(changed({ acr: 'urn:acme:pwd', auth_time: 1 }))).kind, 'vouched', 'nothing was wanted');
});

test('an ID token that nobody, the client itself, or somebody else signed is not taken', async () => {
  const secret = new TextEncoder().encode(provider.clientSecret);
  const { privateKey } = await generateKeyPair('ES256');
  const sign = (alg: string, key: Parameters<SignJWT['sign']>[0]) => (claims: JWTPayload) =>
    new SignJWT(claims).setProtectedHeader({ alg, kid: 'k1' }).sign(key);
  await invalidBecause({ token: (claims) => new UnsecuredJWT(claims).encode() });
  await invalidBecause({ token: sign('HS256', secret) });
  // Under the id of a key that the provider has published.
  await invalidBecause({ token: sign('ES256', privateKey) });
});

test('an unknown key id asks for the keys again at most once a minute', async () => {
  const providers = adapter();
  const exchangeWith = async (kid: string) => {
    const parameters = provider.login(await providers.authorizationUrl(clientOf(), login), ada);
    provider.mischief = { kid };
    return await providers.exchange(clientOf(), login, parameters);
  };
  const before = provider.asked.length;
  assert.equal((await exchangeWith('k1')).kind, 'vouched');
  for (let index = 0; index < 5; index += 1) assert.equal((await exchangeWith(`unknown-${index}`)).kind, 'failed');
  assert.equal((await exchangeWith('k1')).kind, 'vouched');
  const asked = provider.asked.slice(before);
  assert.equal(asked.filter((path) => path === '/jwks').length, 1);
  assert.equal(asked.filter((path) => path.includes('openid-configuration')).length, 1, 'and it is discovered once');
});

test('many first logins at once discover the provider once', async () => {
  const providers = adapter();
  const before = provider.asked.length;
  await Promise.all(Array.from({ length: 16 }, () => providers.authorizationUrl(clientOf(), login)));
  assert.equal(provider.asked.length - before, 1);
});

test('a discovery document of another issuer, or without what is needed, is for the operator to mend', async () => {
  const documents: readonly NonNullable<Mischief['discovery']>[] = [
    (document) => ({ ...document, issuer: 'https://attacker.example' }),
    (document) => ({ ...document, issuer: `${provider.issuer}/` }),
    (document) => ({ ...document, issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }),
    ({ issuer: _, ...document }) => document,
    ({ jwks_uri: _, ...document }) => document,
    (document) => ({ ...document, token_endpoint: 'http://127.0.0.1/token' }),
    (document) => ({ ...document, authorization_endpoint: 'javascript:alert(1)' }),
    (document) => ({ ...document, id_token_signing_alg_values_supported: ['none', 'HS256'] }),
    (document) => ({ ...document, token_endpoint_auth_methods_supported: ['private_key_jwt'] }),
    () => [],
  ];
  for (const discovery of documents) {
    provider.mischief = { discovery };
    const url = adapter().authorizationUrl(clientOf(), login);
    await assert.rejects(
      url,
      { reason: 'PROVIDER_MISCONFIGURED' },
      JSON.stringify(discovery({ issuer: provider.issuer })),
    );
  }
});

test('an endpoint that leads inside, or redirects there, is not followed', async () => {
  provider.mischief = { discovery: (document) => ({ ...document, token_endpoint: 'https://169.254.169.254/token' }) };
  const providers = adapter();
  const parameters = provider.login(await providers.authorizationUrl(clientOf(), login), ada);
  await assert.rejects(providers.exchange(clientOf(), login, parameters), { code: 'UNAVAILABLE' });
  const before = provider.asked.length;
  const redirect: Mischief = {
    answer: { '/token': (_, response) => response.writeHead(307, { location: `${provider.issuer}/inside` }).end() },
  };
  await assert.rejects(exchange(redirect), { code: 'UNAVAILABLE' });
  assert.ok(!provider.asked.slice(before).includes('/inside'));
});

test('huge, slow and senseless answers are an outage, never a login', async () => {
  const pages: readonly NonNullable<Mischief['answer']>[string][] = [
    (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(`"${'x'.repeat(2_000_000)}"`),
    (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    (_, response) => response.writeHead(500).end('{"error": "invalid_grant"}'),
    (_, response) => response.destroy(),
  ];
  for (const page of pages) {
    await assert.rejects(exchange({ answer: { '/token': page } }), { code: 'UNAVAILABLE' });
    await assert.rejects(exchange({ answer: { '/jwks': page } }), { code: 'UNAVAILABLE' });
  }
  const slow = adapter(200);
  const parameters = provider.login(await slow.authorizationUrl(clientOf(), login), ada);
  provider.mischief = { answer: { '/token': (_, response) => response.write(' ') } };
  await assert.rejects(slow.exchange(clientOf(), login, parameters), { code: 'UNAVAILABLE' });
});

test('a provider that cannot just now is an outage, whatever it says of the user', async () => {
  for (const error of ['server_error', 'temporarily_unavailable']) {
    const providers = adapter();
    await providers.authorizationUrl(clientOf(), login);
    const parameters = new Map([
      ['error', error],
      ['state', login.state],
      ['iss', provider.issuer],
    ]);
    await assert.rejects(providers.exchange(clientOf(), login, parameters), { code: 'UNAVAILABLE' }, error);
  }
});

test('userinfo of another person, or without sense, gives no address', async () => {
  const person = { ...ada, userinfoOnly: true };
  const answers: readonly object[] = [{ ...ada, sub: 'eve' }, { email: 'ada@example.com', email_verified: true }, []];
  for (const answer of answers) {
    const outcome = await exchange({}, person);
    assert.ok(outcome.kind === 'vouched');
    provider.mischief = {
      answer: {
        '/userinfo': (_, response) =>
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
      },
    };
    assert.deepEqual(await outcome.profile(), { verifiedEmail: undefined, name: undefined });
  }
});

test('an implicit or signed response in the place of a code is not taken', async () => {
  const providers = adapter();
  const parameters = provider.login(await providers.authorizationUrl(clientOf(), login), ada);
  for (const [name, value] of [
    ['id_token', 'x'],
    ['token', 'x'],
    ['response', 'x.y.z'],
  ] as const) {
    const outcome = await providers.exchange(clientOf(), login, new Map([...parameters, [name, value]]));
    assert.ok(outcome.kind === 'failed' && outcome.failure === 'RESPONSE_INVALID', name);
  }
});
