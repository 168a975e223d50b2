import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { eventually } from '../../../test/support/eventually.ts';
import { startTcpProxy } from '../../../test/support/tcp-proxy.ts';
import { ApiKeyService, SessionService, TokenService, UserService } from '../gen/v1.js';
import type { ClientOptions } from '../src/client-options.ts';
import { followRevocations } from '../src/follow-revocations.ts';
import type { Sallyport } from '../src/sallyport.ts';
import { createTokenVerifier } from '../src/verify-access-token.ts';
import { addTenant, addUser, callerKey, ISSUER, keyOf, startWorld, tokensOf } from './support/world.ts';

const world = await startWorld();
const { admin, service } = world;
const here = { issuer: ISSUER, audience: 'shop' };

/** A client that verifies by itself from now on. */
async function verifyingHere(options: Partial<ClientOptions> = {}): Promise<Sallyport> {
  const client = world.connect({ ...here, ...options });
  await client.whenVerifyingHere(AbortSignal.timeout(15_000));
  return client;
}

/** A verifier of the real parts that counts how often Sallyport is asked. */
async function countingVerifier() {
  const tokens = world.connect().client(TokenService);
  const asked = { jwks: 0, verify: 0 };
  const counted = {
    getJwks: (...args: Parameters<typeof tokens.getJwks>) => {
      asked.jwks += 1;
      return tokens.getJwks(...args);
    },
    verifyToken: (...args: Parameters<typeof tokens.verifyToken>) => {
      asked.verify += 1;
      return tokens.verifyToken(...args);
    },
  };
  const monotonic = () => performance.now();
  const revocations = followRevocations({ tokens, onKeysChanged: () => {}, monotonic, random: Math.random });
  await revocations.whenFollowing(AbortSignal.timeout(15_000));
  const verifier = createTokenVerifier({ tokens: counted, revocations, tenant: 'default', issuer: ISSUER });
  return { verify: (token: string) => verifier.verify(token, 'shop'), asked, stop: () => revocations.stop() };
}

test('a token is verified here without asking, with the claims that VerifyToken gives', async () => {
  await addUser(admin, 'ada');
  const { accessToken, userId, sessionId } = await tokensOf(admin, 'ada', { scopes: ['reports:read'] });
  const { verify, asked, stop } = await countingVerifier();
  const verdict = await verify(accessToken);
  await verify(accessToken);
  stop();
  assert.deepEqual(asked, { jwks: 1, verify: 0 });
  assert.ok(verdict.kind === 'active');
  const { subject, sessionId: sid, scopes, amr, tenant, clientId } = verdict.claims;
  assert.deepEqual(
    [subject, sid, scopes, amr, tenant, clientId],
    [{ type: 'user', id: userId }, sessionId, ['reports:read'], ['pwd'], 'default', 'service:admin'],
  );
  const told = await world.connect({ audience: 'shop' }).verifyAccessToken(accessToken);
  assert.deepEqual(told, verdict);
});

test('what is no good token here is refused here, by its reason', async () => {
  await addUser(admin, 'bob');
  const { accessToken } = await tokensOf(admin, 'bob');
  const [header, payload] = [decodeProtectedHeader(accessToken), decodeJwt(accessToken)];
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const forge = (claims: object, more: object = {}) =>
    new SignJWT({ ...payload, ...claims }).setProtectedHeader({ ...header, alg: 'ES256', ...more }).sign(privateKey);
  const { verify, asked, stop } = await countingVerifier();
  const reasonOf = async (token: string) => {
    const verdict = await verify(token);
    return verdict.kind === 'active' ? 'active' : verdict.reason;
  };
  const [head = '', body = '', signature = ''] = accessToken.split('.');
  const none = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url');
  assert.equal(await reasonOf(accessToken), 'active');
  for (const token of [
    await forge({}),
    await forge({ sub: 'somebody' }),
    `${head}.${Buffer.from(JSON.stringify({ ...payload, sub: 'x' })).toString('base64url')}.${signature}`,
    `${none}.${body}.`,
    `${head}.${body}.${signature.slice(0, -4)}AAAA`,
    'nonsense',
    '',
  ]) {
    assert.equal(await reasonOf(token), 'CREDENTIAL_INVALID', token);
  }
  const other = await tokensOf(admin, 'bob', { audience: 'reports' });
  assert.equal(await reasonOf(other.accessToken), 'CREDENTIAL_WRONG_AUDIENCE');
  assert.deepEqual(asked, { jwks: 1, verify: 0 });
  // Its key is not in the JWKS: Sallyport is asked, and says no.
  assert.equal(await reasonOf(await forge({}, { kid: 'unknown' })), 'CREDENTIAL_INVALID');
  assert.equal(asked.verify, 1);
  stop();
});

test('a token of another tenant is refused, here and by Sallyport', async () => {
  await addTenant(admin, 'acme');
  await addUser(admin, 'eve', 'acme');
  const { accessToken } = await tokensOf(admin, 'eve', { tenant: 'acme' });
  for (const client of [await verifyingHere(), world.connect({ audience: 'shop' })]) {
    assert.deepEqual(await client.verifyAccessToken(accessToken), { kind: 'inactive', reason: 'CREDENTIAL_INVALID' });
  }
  const acme = world.connect({
    apiKey: await callerKey(admin, 'acme-shop', 'application', 'acme'),
    tenant: 'acme',
    issuer: `${ISSUER}/t/acme`,
    audience: 'shop',
  });
  await acme.whenVerifyingHere(AbortSignal.timeout(15_000));
  assert.equal((await acme.verifyAccessToken(accessToken)).kind, 'active');
});

const revocations: readonly (readonly [string, (userId: string, sessionId: string) => Promise<unknown>])[] = [
  [
    'session was revoked',
    (_, value) => admin.client(SessionService).revokeSessions({ selector: { case: 'sessionId', value } }),
  ],
  [
    'user was logged out everywhere',
    (value) => admin.client(SessionService).revokeSessions({ selector: { case: 'userId', value } }),
  ],
  ['user was disabled', (userId) => admin.client(UserService).updateUser({ userId, disabled: true })],
];
for (const [index, [what, revoke]] of revocations.entries()) {
  test(`a token whose ${what} is refused within a second`, async (t) => {
    await addUser(admin, `victim${index}`);
    await addUser(admin, `other${index}`);
    const { accessToken, userId, sessionId } = await tokensOf(admin, `victim${index}`);
    const other = await tokensOf(admin, `other${index}`);
    const { verify, asked, stop } = await countingVerifier();
    assert.equal((await verify(accessToken)).kind, 'active');
    await revoke(userId, sessionId);
    const begun = performance.now();
    await eventually('refused', async () => ((await verify(accessToken)).kind === 'inactive' ? true : undefined));
    t.diagnostic(`${Math.round(performance.now() - begun)} ms`);
    assert.equal((await verify(other.accessToken)).kind, 'active');
    assert.equal(asked.verify, 0);
    stop();
  });
}

test('a token that was issued by API key dies with the key', async () => {
  const key = await keyOf(admin, { type: 'service', id: 'billing' });
  const proof = { case: 'apiKey' as const, value: key.text };
  const { outcome } = await admin.issueTokens({ proof, options: { audience: ['shop'] } });
  assert.ok(outcome.case === 'tokens');
  const { accessToken } = outcome.value;
  const client = await verifyingHere();
  const verdict = await client.verifyAccessToken(accessToken);
  assert.deepEqual(verdict.kind === 'active' && verdict.claims.subject, { type: 'service', id: 'billing' });
  await admin.client(ApiKeyService).revokeApiKey({ keyId: key.id });
  await eventually('refused', async () =>
    (await client.verifyAccessToken(accessToken)).kind === 'inactive' ? true : undefined,
  );
});

test('tokens of a signing key that was revoked are refused, those of the next one accepted', async () => {
  await addUser(admin, 'carol');
  const before = await tokensOf(admin, 'carol');
  const client = await verifyingHere();
  assert.equal((await client.verifyAccessToken(before.accessToken)).kind, 'active');
  const keyId = decodeProtectedHeader(before.accessToken).kid ?? '';
  await admin.client(TokenService).revokeSigningKey({ keyId });
  await eventually('refused', async () =>
    (await client.verifyAccessToken(before.accessToken)).kind === 'inactive' ? true : undefined,
  );
  const after = await tokensOf(admin, 'carol');
  assert.notEqual(decodeProtectedHeader(after.accessToken).kid, keyId);
  assert.equal((await client.verifyAccessToken(after.accessToken)).kind, 'active');
});

test('while Sallyport cannot be reached no token is accepted; what was revoked meanwhile is known at once afterwards', async () => {
  await addUser(admin, 'dave');
  const { accessToken, sessionId } = await tokensOf(admin, 'dave');
  const [host = '', port = ''] = service.grpc.split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const client = await verifyingHere({ address: `127.0.0.1:${proxy.port}` });
  assert.equal((await client.verifyAccessToken(accessToken)).kind, 'active');
  proxy.cut();
  const unreachable = { name: 'CallError', isUnreachable: true };
  await eventually('refused', () =>
    client.verifyAccessToken(accessToken).then(
      () => undefined,
      () => true,
    ),
  );
  await assert.rejects(client.verifyAccessToken(accessToken), unreachable);
  await admin.client(SessionService).revokeSessions({ selector: { case: 'sessionId', value: sessionId } });
  await assert.rejects(client.verifyAccessToken(accessToken), unreachable);
  proxy.restore();
  const verdict = await eventually('an answer', () => client.verifyAccessToken(accessToken));
  assert.deepEqual(verdict, { kind: 'inactive', reason: 'CREDENTIAL_REVOKED' });
  await client.whenVerifyingHere(AbortSignal.timeout(15_000));
  assert.deepEqual(await client.verifyAccessToken(accessToken), verdict);
  await proxy.stop();
});

test('without an audience no access token is accepted', async () => {
  await assert.rejects(world.connect({ issuer: ISSUER }).verifyAccessToken('x'), { message: /^no audience/ });
});
