import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { createSealer } from '../../../src/crypto/sealed-field.ts';
import { createFederation } from '../../../src/domain/federation/create-federation.ts';
import type { LoginStateDocument } from '../../../src/domain/federation/login-state.ts';
import type { FinishLoginInput } from '../../../src/domain/federation/use-cases.ts';
import { call, issueTokens, tally } from '../identity/identity-world.ts';
import {
  callBy,
  type FederationWorld,
  failureOf,
  federationWorld,
  REDIRECT_URI,
  tenant,
  userOf,
} from './federation-world.ts';

const ada = { sub: 'ada-1' };

/** The callback with parameters in the place of its own. */
function withParameters(begun: FinishLoginInput, more: Readonly<Record<string, string>>): FinishLoginInput {
  return { ...begun, parameters: new Map([...begun.parameters, ...Object.entries(more)]) };
}

async function waiting({ world }: FederationWorld): Promise<readonly LoginStateDocument[]> {
  const all = await world.store.collection<LoginStateDocument>('challenges').list(tenant, { limit: 1000 });
  return all.filter(({ kind }) => kind === 'federation');
}

test('of 64 callbacks of one login at once, over two replicas, one logs in', async () => {
  await using fed = await federationWorld('sqlite');
  const { id } = await fed.register();
  const begun = await fed.begin(id, ada);
  const replicas = [fed.federation, fed.replica()];
  const inputs = { ...begun, issue: issueTokens };
  const outcomes = await Promise.all(
    Array.from(
      { length: 64 },
      async (_, index) => await (replicas[index % 2] ?? fed.federation).finishLogin(call, inputs),
    ),
  );
  assert.deepEqual(tally(outcomes), { authenticated: 1, FEDERATION_FAILED: 63 });
  assert.equal((await fed.world.sessions()).length, 1);
  assert.equal(fed.provider.asked.filter((path) => path === '/token').length, 1, 'one reached the provider');
});

test('a callback works once, whoever repeats it', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const begun = await fed.begin(id, ada);
  userOf(await fed.federation.finishLogin(call, begun));
  assert.equal(failureOf(await fed.federation.finishLogin(call, begun)), 'LOGIN_UNKNOWN');
  assert.equal(failureOf(await fed.federation.finishLogin(callBy('service:other'), begun)), 'LOGIN_UNKNOWN');
  assert.deepEqual(await waiting(fed), []);
});

test('another browser finishes nothing and ends nothing: its owner can still go on', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const begun = await fed.begin(id, ada);
  const attacker = await fed.begin(id, { sub: 'attacker' });
  for (const browserBinding of [
    attacker.browserBinding,
    '',
    'fb_',
    `fb_${'A'.repeat(43)}`,
    `${begun.browserBinding}A`,
  ]) {
    assert.equal(failureOf(await fed.federation.finishLogin(call, { ...begun, browserBinding })), 'LOGIN_UNKNOWN');
  }
  assert.ok((await fed.told()).includes('login.failed LOGIN_UNKNOWN another browser'));
  userOf(await fed.federation.finishLogin(call, begun));
});

test('a state that was never given, is changed, or is another token finishes nothing', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const begun = await fed.begin(id, ada);
  const state = begun.parameters.get('state') ?? '';
  const swapped = state.endsWith('A') ? 'B' : 'A';
  for (const other of ['', 'x', state.slice(0, -1) + swapped, state.replace('fs_', 'ch_'), `${state}A`]) {
    const outcome = await fed.federation.finishLogin(call, withParameters(begun, { state: other }));
    assert.equal(failureOf(outcome), 'LOGIN_UNKNOWN', other);
  }
  const nothing = { ...begun, parameters: new Map([['code', 'x']]) };
  assert.equal(failureOf(await fed.federation.finishLogin(call, nothing)), 'LOGIN_UNKNOWN');
  const challenges = fed.world.identity.verifyTotp(call, {
    tenant,
    target: { kind: 'challenge', challengeToken: state.replace('fs_', 'ch_') },
    code: { kind: 'totp', value: '123456' },
    client: {},
  });
  const outcome = await challenges;
  assert.ok(outcome.kind === 'rejection' && outcome.reason === 'CHALLENGE_EXPIRED', 'and is no challenge either');
});

test('a login waits for ten minutes', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const [early, late] = [await fed.begin(id, ada), await fed.begin(id, ada)];
  fed.world.clock.advance(599_999);
  userOf(await fed.federation.finishLogin(call, early));
  fed.world.clock.advance(1);
  assert.equal(failureOf(await fed.federation.finishLogin(call, late)), 'LOGIN_UNKNOWN');
});

test("a provider that is disabled, removed, or loses the redirect URI in between ends nobody's login", async () => {
  await using fed = await federationWorld();
  const ends = [
    async (id: string) =>
      void (await fed.federation.updateProvider(call, { tenant, providerId: id, etag: '', disabled: true })),
    async (id: string) => await fed.federation.deleteProvider(call, tenant, id, ''),
    async (id: string) => {
      const redirectUris = ['https://other.example/'];
      await fed.federation.updateProvider(call, { tenant, providerId: id, etag: '', redirectUris });
    },
  ];
  for (const end of ends) {
    const { id } = await fed.register();
    const begun = await fed.begin(id, ada);
    await end(id);
    assert.equal(failureOf(await fed.federation.finishLogin(call, begun)), 'PROVIDER_DISABLED');
  }
  assert.ok(!fed.provider.asked.includes('/token'), 'no code reached the provider');
  assert.deepEqual(await fed.users(), []);
});

test('a login begins only by a provider that is there and enabled, and for a redirect URI of it to the letter', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const begin = (more: object) =>
    fed.federation.beginLogin(call, { tenant, providerId: id, redirectUri: REDIRECT_URI, client: {}, ...more });
  await assert.rejects(begin({ providerId: 'x' }), { reason: 'PROVIDER_NOT_FOUND' });
  await assert.rejects(begin({ tenant: 'nowhere' }), { reason: 'TENANT_NOT_FOUND' });
  await assert.rejects(begin({ tenant: 'sallyport' }), { reason: 'RESERVED_TENANT' });
  const others = [
    'https://app.example/callback/',
    'https://app.example/callback?x',
    'https://APP.example/callback',
    'https://app.example.evil/callback',
    '',
  ];
  for (const redirectUri of others) await assert.rejects(begin({ redirectUri }), /redirect_uri/, redirectUri);
  await fed.federation.updateProvider(call, { tenant, providerId: id, etag: '', disabled: true });
  await assert.rejects(begin({}), { reason: 'PROVIDER_DISABLED' });
  assert.deepEqual(await waiting(fed), []);
});

test('what is stored of a login lets nobody finish it', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const begun = await fed.federation.beginLogin(call, {
    tenant,
    providerId: id,
    redirectUri: REDIRECT_URI,
    client: {},
  });
  assert.ok(begun.kind === 'begun');
  const query = new URL(begun.authorizationUrl).searchParams;
  const secrets = [
    query.get('state')?.slice(-43),
    query.get('nonce'),
    query.get('code_challenge'),
    begun.browserBinding.slice(3),
  ];
  const stored = JSON.stringify(await waiting(fed));
  for (const secret of secrets) {
    assert.ok(secret !== null && secret !== undefined && secret.length === 43);
    assert.ok(!stored.includes(secret));
  }
});

test('a login that the user or the provider refuses is rejected with where it failed, and is over', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const errors = [
    ['access_denied', 'ACCESS_DENIED'],
    ['login_required', 'ACCESS_DENIED'],
    ['invalid_scope', 'PROVIDER_REFUSED'],
    ['<script>', 'PROVIDER_REFUSED'],
  ];
  for (const [error = '', failure] of errors) {
    fed.provider.mischief = { callback: ({ state = '', iss = '' }) => ({ error, state, iss }) };
    const begun = await fed.begin(id, ada);
    assert.equal(failureOf(await fed.federation.finishLogin(call, begun)), failure, error);
    assert.equal(failureOf(await fed.federation.finishLogin(call, begun)), 'LOGIN_UNKNOWN');
  }
  const told = await fed.told();
  assert.ok(told.includes('login.failed ACCESS_DENIED access_denied'));
  assert.ok(told.includes('login.failed PROVIDER_REFUSED another error'));
});

test('a provider that does not answer is UNAVAILABLE, at the beginning and at the end, and logs nobody in', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const begin = () => fed.begin(id, ada);
  fed.provider.mischief = { answer: { '/.well-known/openid-configuration': (_, response) => response.destroy() } };
  await assert.rejects(begin(), { code: 'UNAVAILABLE' });
  assert.deepEqual(await waiting(fed), [], 'nothing was left behind');
  fed.provider.mischief = {};
  const begun = await begin();
  fed.provider.mischief = { answer: { '/token': (_, response) => response.writeHead(503).end() } };
  await assert.rejects(fed.federation.finishLogin(call, begun), { code: 'UNAVAILABLE' });
  fed.provider.mischief = {};
  assert.equal(failureOf(await fed.federation.finishLogin(call, begun)), 'LOGIN_UNKNOWN', 'it begins again');
  userOf(await fed.login(id, ada));
});

test('a login of one tenant cannot be finished in another, and neither can the providers be used there', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  await fed.world.store.collection('tenants').insert({
    tenant: 'sallyport',
    id: 'acme',
    schema: 1,
    keys: ['acme'],
    ...{ status: 'active', settings: {}, createdAt: 0, updatedAt: 0 },
  });
  const begun = await fed.begin(id, ada);
  assert.equal(failureOf(await fed.federation.finishLogin(call, { ...begun, tenant: 'acme' })), 'LOGIN_UNKNOWN');
  await assert.rejects(fed.federation.getProvider(call, 'acme', id), { reason: 'PROVIDER_NOT_FOUND' });
  userOf(await fed.federation.finishLogin(call, begun));
});

test('a master key that is replaced between the two halves of a login changes nothing', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const begun = await fed.begin(id, ada);
  const old = Buffer.alloc(32, 7).toString('base64url');
  const ring = createKeyRing([Buffer.alloc(32, 8).toString('base64url'), old]);
  const after = createFederation({ ...fed.ports, ring, sealer: createSealer(ring) });
  userOf(await after.finishLogin(call, begun));
});
