import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import type { LoginSecrets, PersonProfile, ProviderClient } from '../../src/domain/federation/identity-providers.ts';
import type { ProviderKind } from '../../src/domain/federation/use-cases.ts';
import { createIdentityProviders } from '../../src/federation/create-identity-providers.ts';
import { systemClock } from '../../src/platform/clock.ts';

// What a preset stands for. The real Google and Microsoft are not asked in tests: their names lead to a provider in this process.

const login: LoginSecrets = {
  state: 's'.repeat(43),
  nonce: 'n'.repeat(43),
  codeVerifier: 'v'.repeat(43),
  redirectUri: 'https://app.example/callback',
};
const DIRECTORY = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';
const GOOGLE = 'https://accounts.google.com';
const MICROSOFT = `https://login.microsoftonline.com/${DIRECTORY}/v2.0`;

let keys: GenerateKeyPairResult;
before(async () => {
  keys = await generateKeyPair('ES256', { extractable: true });
});

interface Internet {
  readonly asked: readonly string[];
  readonly fetch: (url: string) => Promise<Response>;
}

/** An internet with one provider, which publishes this issuer and vouches for whoever has these claims. */
function internet(issuer: string, claims: object = {}): Internet {
  const asked: string[] = [];
  const now = Math.floor(Date.now() / 1000);
  const said = { iss: issuer, aud: 'c', sub: '7', iat: now, exp: now + 60, nonce: login.nonce, ...claims };
  const pages: Readonly<Record<string, () => Promise<object>>> = {
    [`${issuer}/t`]: async () => ({
      access_token: 'x',
      token_type: 'Bearer',
      id_token: await new SignJWT(said).setProtectedHeader({ alg: 'ES256' }).sign(keys.privateKey),
    }),
    [`${issuer}/k`]: async () => ({ keys: [await exportJWK(keys.publicKey)] }),
  };
  const document = {
    issuer,
    authorization_endpoint: `${issuer}/a`,
    token_endpoint: `${issuer}/t`,
    jwks_uri: `${issuer}/k`,
    id_token_signing_alg_values_supported: ['ES256'],
  };
  return {
    asked,
    fetch: async (url) => {
      asked.push(url);
      return Response.json((await pages[url]?.()) ?? document);
    },
  };
}

function clientOf(kind: ProviderKind): ProviderClient {
  return { kind, clientId: 'c', clientSecret: 's', scopes: ['openid'], revision: '1' };
}

async function begin(kind: ProviderKind, { fetch }: Internet): Promise<string> {
  return await createIdentityProviders({ fetch, clock: systemClock() }).authorizationUrl(clientOf(kind), login);
}

async function profile(kind: ProviderKind, { fetch }: Internet): Promise<PersonProfile> {
  const parameters = new Map(Object.entries({ code: 'c0de', state: login.state }));
  const providers = createIdentityProviders({ fetch, clock: systemClock() });
  const person = await providers.exchange(clientOf(kind), login, parameters);
  assert.ok(person.kind === 'vouched', JSON.stringify(person));
  return await person.profile();
}

test('Google is discovered at its issuer', async () => {
  const world = internet(GOOGLE);
  await begin({ kind: 'google' }, world);
  assert.deepEqual(world.asked, [`${GOOGLE}/.well-known/openid-configuration`]);
});

test('Google is believed about addresses of its own and of Workspace domains, and about no others', async () => {
  const addressOf = async (claims: object): Promise<string | undefined> =>
    (await profile({ kind: 'google' }, internet(GOOGLE, { email_verified: true, ...claims }))).verifiedEmail;
  assert.equal(await addressOf({ email: 'Ada@Gmail.com' }), 'Ada@Gmail.com');
  assert.equal(await addressOf({ email: 'ada@acme.example', hd: 'acme.example' }), 'ada@acme.example');
  assert.equal(await addressOf({ email: 'ada@acme.example' }), undefined, 'verified once, by whoever had it then');
  assert.equal(await addressOf({ email: 'ada@gmail.com', email_verified: false }), undefined);
  assert.equal(await addressOf({ email: 'ada@gmail.com.example' }), undefined);
});

test('Microsoft is discovered at the issuer of one directory, and another directory is refused', async () => {
  const kind = { kind: 'microsoft', tenantId: DIRECTORY } as const;
  const world = internet(MICROSOFT);
  await begin(kind, world);
  assert.deepEqual(world.asked, [`${MICROSOFT}/.well-known/openid-configuration`]);
  for (const other of [
    'https://login.microsoftonline.com/{tenantid}/v2.0',
    'https://login.microsoftonline.com/11111111-3f5a-4b7e-9d51-0f8f2a6f3c11/v2.0',
    `https://sts.windows.net/${DIRECTORY}/`,
  ]) {
    await assert.rejects(begin(kind, internet(other)), { reason: 'PROVIDER_MISCONFIGURED' }, other);
  }
});

test('Microsoft is believed about no address', async () => {
  const claims = { email: 'ada@acme.example', email_verified: true, xms_edov: true };
  const kind = { kind: 'microsoft', tenantId: DIRECTORY } as const;
  assert.equal((await profile(kind, internet(MICROSOFT, claims))).verifiedEmail, undefined);
});
