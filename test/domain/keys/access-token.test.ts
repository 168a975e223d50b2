import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { signJws } from '../../../src/crypto/jws.ts';
import { DomainError } from '../../../src/domain/errors.ts';
import { decodeClaims, encodeClaims } from '../../../src/domain/keys/access-token-claims.ts';
import { createCredentialResolver } from '../../../src/domain/session/credential-resolver.ts';
import { callOf, createWorld, type World } from '../session/world.ts';

const CLAIMS = {
  subject: { type: 'user', id: 'ada' },
  audience: ['api'],
  scopes: ['documents:*'],
  clientId: 'service:shop',
  sessionId: 'session-of-ada-1',
  tenant: 'default',
  epoch: 3,
  authTime: undefined,
  acr: undefined,
  amr: [],
  custom: {},
};

async function sign(world: World, changes: Partial<typeof CLAIMS> = {}): Promise<string> {
  return (await world.accessTokens.sign({ ...CLAIMS, ...changes }, 900_000)).token;
}

async function verdictOf(world: World, token: string, tenant = 'default'): Promise<string> {
  const verdict = await world.accessTokens.verify(tenant, token, () => undefined);
  return verdict.kind === 'valid' ? 'valid' : verdict.reason;
}

test('a standard library accepts a token from its own issuer\u2019s key set, and refuses it for another tenant', async () => {
  const world = createWorld();
  const token = await sign(world, { tenant: 'acme' });
  const now = new Date(world.clock.now());
  const check = async (tenant: string, issuer: string) => {
    const keys = createLocalJWKSet(
      (await world.keys.jwks(tenant)) as unknown as Parameters<typeof createLocalJWKSet>[0],
    );
    return jwtVerify(token, keys, { issuer, audience: 'api', typ: 'at+jwt', currentDate: now });
  };
  const { payload } = await check('acme', 'http://issuer.test/t/acme');
  assert.equal(payload.sub, 'ada');
  await assert.rejects(check('default', 'http://issuer.test'));
  assert.equal(await verdictOf(world, token, 'acme'), 'valid');
  assert.equal(await verdictOf(world, token), 'CREDENTIAL_INVALID');
  assert.equal(await verdictOf(world, token, 'acme'), 'valid');
});

test('a token in memory is judged without a promise and without the store, and never as one of another tenant', async () => {
  const world = createWorld();
  const token = await sign(world);
  await verdictOf(world, token);
  await world.replicas.load('acme');
  world.store.outage(true);
  const warm = world.accessTokens.verify('default', token, () => undefined);
  assert.ok(!(warm instanceof Promise) && warm.kind === 'valid');
  const elsewhere = world.accessTokens.verify('acme', token, () => undefined);
  assert.ok(!(elsewhere instanceof Promise) && elsewhere.kind === 'refused');
});

test('a token ends at its second, from memory too, and lives at most 15 minutes', async () => {
  const world = createWorld();
  const { token, expiresAt } = await world.accessTokens.sign(CLAIMS, 24 * 3_600_000);
  assert.equal(expiresAt, world.clock.now() + 900_000);
  assert.equal(await verdictOf(world, token), 'valid');
  world.clock.advance(899_999);
  assert.equal(await verdictOf(world, token), 'valid');
  world.clock.advance(1);
  assert.equal(await verdictOf(world, token), 'CREDENTIAL_EXPIRED');
});

test('what is revoked is refused at every use: its session, its user\u2019s epoch, its key', async () => {
  const revocations = [
    { kind: 'session', id: 'session-of-ada-1', until: 0 },
    { kind: 'user', id: 'ada', epoch: 4, until: 0 },
  ] as const;
  for (const revocation of revocations) {
    const world = createWorld();
    const token = await sign(world);
    assert.equal(await verdictOf(world, token), 'valid');
    world.replicas.follow('default', revocation);
    assert.equal(await verdictOf(world, token), 'CREDENTIAL_REVOKED', 'from memory');
    const other = await sign(world);
    assert.equal(await verdictOf(world, other), 'CREDENTIAL_REVOKED', 'at first sight');
    const newer = await sign(world, { epoch: 4, sessionId: 'session-of-ada-2' });
    assert.equal(await verdictOf(world, newer), 'valid');
  }
  const world = createWorld();
  const token = await sign(world);
  world.replicas.follow('default', {
    kind: 'signing_key',
    id: (await world.signingKeys.signer('default')).kid,
    until: 0,
  });
  assert.equal(await verdictOf(world, token), 'CREDENTIAL_REVOKED');
  // A service has no epoch: a user of the same id does not end it.
  const other = createWorld();
  other.replicas.follow('default', { kind: 'user', id: 'ada', epoch: 9, until: 0 });
  const service = await sign(other, { subject: { type: 'service', id: 'ada' }, epoch: 0 });
  assert.equal(await verdictOf(other, service), 'valid');
});

test('a token signed by the right key for something else is none', async () => {
  const world = createWorld();
  const { kid, key } = await world.signingKeys.signer('default');
  const seconds = world.clock.now() / 1000;
  const good = {
    ...{ iss: 'http://issuer.test', sub: 'ada', aud: 'api', exp: seconds + 900, iat: seconds, jti: 'j' },
    ...{ client_id: 'c', sid: 's', tenant: 'default', epoch: 1 },
  };
  const signed = (payload: object, header: { typ?: string; kid?: string } = {}) =>
    signJws({ alg: 'ES256', typ: 'at+jwt', kid, ...header }, new TextEncoder().encode(JSON.stringify(payload)), key);
  assert.equal(await verdictOf(world, await signed(good)), 'valid');
  const { sub: _sub, ...withoutSubject } = good;
  const bad = [
    await signed(good, { typ: 'JWT' }),
    await signed(good, { typ: 'dpop+jwt' }),
    await signed(good, { kid: 'other' }),
    await signed({ ...good, iss: 'http://issuer.test/t/acme' }),
    await signed({ ...good, tenant: 'acme' }),
    await signed({ ...good, exp: seconds + 901 }),
    await signed({ ...good, iat: seconds + 61, exp: seconds + 900 }),
    await signed({ ...good, exp: 'never' }),
    await signed({ ...good, aud: [] }),
    await signed({ ...good, epoch: 1.5 }),
    await signed(withoutSubject),
    await signed([good]),
    'x'.repeat(100_000),
  ];
  for (const [index, token] of bad.entries())
    assert.equal(await verdictOf(world, token), 'CREDENTIAL_INVALID', `${index}`);
});

test('a custom claim shadows nothing, whoever let it through', () => {
  const hostile = { ...CLAIMS, custom: { sub: 'root', tenant: 'acme', epoch: 99, exp: 9e9, plan: 'pro' } };
  const ours = { issuer: 'i', tokenId: 'j', issuedAt: 1_000, expiresAt: 2_000 };
  const payload = JSON.parse(new TextDecoder().decode(encodeClaims({ ...hostile, ...ours })));
  assert.deepEqual(
    [payload.sub, payload.tenant, payload.epoch, payload.exp, payload.plan],
    ['ada', 'default', 3, 2, 'pro'],
  );
  assert.deepEqual(decodeClaims(payload)?.custom, { plan: 'pro' });
});

test('a tenant whose log is not followed any more is loaded before a remembered token counts', async () => {
  const world = createWorld();
  const token = await sign(world);
  await verdictOf(world, token);
  world.replicas.unload('default');
  world.replicas.follow('default', { kind: 'session', id: 'session-of-ada-1', until: 0 });
  assert.equal(await verdictOf(world, token), 'CREDENTIAL_REVOKED');
});

test('introspection checks the audience and says what the token says', async () => {
  const world = createWorld();
  const token = await sign(world, { custom: { plan: 'pro' } });
  const ask = (audience: string, tenant = 'default') => world.sessions.verifyToken(callOf(), tenant, token, audience);
  const answer = await ask('api');
  assert.ok(answer.active);
  assert.deepEqual([answer.claims, answer.scopes, answer.clientId], [{ plan: 'pro' }, ['documents:*'], 'service:shop']);
  assert.deepEqual(await ask('other'), { active: false, reason: 'CREDENTIAL_WRONG_AUDIENCE' });
  assert.deepEqual(await ask('api', 'acme'), { active: false, reason: 'CREDENTIAL_INVALID' });
  await assert.rejects(async () => ask('api', 'nowhere'), DomainError);
});

test('a decision sees the subject, the scopes and the end of a token; none where none narrow', async () => {
  const world = createWorld();
  const judgeSessionToken = () => ({ kind: 'refused', reason: 'CREDENTIAL_INVALID' }) as const;
  const resolver = createCredentialResolver({ ...world, judgeSessionToken });
  const resolve = async (token: string) => resolver.accessToken('default', token, () => undefined);
  const expiresAt = world.clock.now() + 900_000;
  const { subject, scopes } = CLAIMS;
  assert.deepEqual(await resolve(await sign(world)), { kind: 'resolved', subject, scopes, expiresAt });
  assert.deepEqual(await resolve(await sign(world, { scopes: [] })), {
    kind: 'resolved',
    subject,
    scopes: undefined,
    expiresAt,
  });
  world.replicas.follow('default', { kind: 'user', id: 'ada', epoch: 4, until: 0 });
  assert.deepEqual(await resolve(await sign(world)), { kind: 'refused', reason: 'CREDENTIAL_REVOKED', subject });
});
