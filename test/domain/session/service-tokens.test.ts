import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '../../../src/domain/errors.ts';
import type { CreateApiKeyInput } from '../../../src/domain/keys/use-cases.ts';
import type { ExchangeTokenInput, IssuedTokens, TokenRequest } from '../../../src/domain/session/use-cases.ts';
import { addUser, callOf, createWorld, TOKENS, type World } from './world.ts';

const MINUTE = 60_000;
const USER = { type: 'user', id: 'ada' };
const BILLING = { type: 'service', id: 'billing' };

async function createKey(world: World, changes: Partial<CreateApiKeyInput> = {}) {
  const input = { tenant: 'default', owner: BILLING, displayName: '', test: false, scopes: [], requestId: '' };
  const { key, secret } = await world.keys.createApiKey(callOf(), { ...input, ...changes });
  return { id: key.id, secret: secret ?? assert.fail('no secret') };
}

function issueBy(world: World, key: string, changes: Partial<TokenRequest> = {}, ip?: string) {
  const proof = { kind: 'api_key' as const, key };
  const request = { ...TOKENS, ...changes };
  return world.sessions.issueTokens(callOf(), { tenant: 'default', proof, request, client: { ip }, requestId: '' });
}

async function userTokens(world: World, changes: Partial<TokenRequest> = {}): Promise<IssuedTokens> {
  const proof = { kind: 'subject' as const, subject: USER };
  const request = { ...TOKENS, audience: ['shop'], ...changes };
  const input = { tenant: 'default', proof, request, client: {}, requestId: '' };
  const issued = await world.sessions.issueTokens(callOf(), input);
  assert.ok(issued.kind === 'tokens');
  return issued;
}

function exchange(world: World, subjectToken: string, changes: Partial<ExchangeTokenInput> = {}) {
  return world.sessions.exchangeToken(callOf(), {
    tenant: 'default',
    subjectToken,
    ownAudience: 'shop',
    request: { ...TOKENS, audience: ['reports'] },
    actor: { kind: 'caller' },
    client: {},
    ...changes,
  });
}

async function tokenOf(exchanged: ReturnType<typeof exchange>): Promise<string> {
  const outcome = await exchanged;
  assert.ok(outcome.kind === 'exchanged', JSON.stringify(outcome));
  return outcome.accessToken;
}

async function verified(world: World, token: string) {
  const verdict = await world.accessTokens.verify('default', token, () => undefined);
  return verdict.kind === 'valid' ? verdict.claims : verdict.reason;
}

const INVALID = { kind: 'rejection', reason: 'PROOF_INVALID' };
const hasField = (field: string) => (error: unknown) =>
  error instanceof DomainError && error.violations.some((violation) => violation.field === field);

test('a service gets an access token by its key, within its scopes, and no refresh token', async () => {
  const world = createWorld();
  const { id, secret } = await createKey(world, { scopes: ['invoices:*'] });
  const issued = await issueBy(world, secret);
  assert.ok(issued.kind === 'tokens');
  assert.deepEqual([issued.refreshToken, issued.refreshExpiresAt, issued.sessionId], ['', undefined, id]);
  const claims = await verified(world, issued.accessToken);
  assert.ok(typeof claims === 'object');
  assert.deepEqual([claims.subject, claims.scopes, claims.audience], [BILLING, ['invoices:*'], ['api']]);
  const narrowed = await issueBy(world, secret, { scopes: ['invoices:read'] });
  assert.ok(narrowed.kind === 'tokens');
  const narrow = await verified(world, narrowed.accessToken);
  assert.deepEqual(typeof narrow === 'object' && narrow.scopes, ['invoices:read']);
  await assert.rejects(issueBy(world, secret, { scopes: ['payroll:read'] }), hasField('options.scopes[0]'));
});

test('the token of a key ends with the key: when it is revoked, and when it expires', async () => {
  const world = createWorld();
  const { id, secret } = await createKey(world, { validUntil: world.clock.now() + 5 * MINUTE });
  const issued = await issueBy(world, secret);
  assert.ok(issued.kind === 'tokens');
  assert.ok(issued.accessExpiresAt <= world.clock.now() + 5 * MINUTE);
  await world.keys.revokeApiKey(callOf(), 'default', id);
  assert.equal(await verified(world, issued.accessToken), 'CREDENTIAL_REVOKED');
  assert.deepEqual(await issueBy(world, secret), INVALID);
});

test('a key that is wrong, a user\u2019s, elsewhere or too often used gets none', async () => {
  const world = createWorld();
  await addUser(world, 'ada');
  const ofUser = await createKey(world, { owner: USER });
  const local = await createKey(world, { allowedNetworks: ['192.0.2.0/24'] });
  const foreign = await createKey(world, { tenant: 'acme' });
  const slow = await createKey(world, { rateLimit: { callsPerMinute: 60, burst: 1 } });
  for (const key of ['sk_live_', ofUser.secret, local.secret, foreign.secret]) {
    assert.deepEqual(await issueBy(world, key), INVALID);
  }
  assert.equal((await issueBy(world, local.secret, {}, '192.0.2.7')).kind, 'tokens');
  assert.equal((await issueBy(world, slow.secret)).kind, 'tokens');
  const limited = { kind: 'rejection', reason: 'RATE_LIMITED', retryAfterMs: 1_000 };
  assert.deepEqual(await issueBy(world, slow.secret), limited);
});

test('an exchanged token has the subject and session of the first, another audience, and says who acts', async () => {
  const world = createWorld();
  await addUser(world, 'ada');
  const first = await userTokens(world, { scopes: ['documents:*'], claims: { plan: 'pro' } });
  const request = { ...TOKENS, audience: ['reports'], scopes: ['documents:read'] };
  const claims = await verified(world, await tokenOf(exchange(world, first.accessToken, { request })));
  assert.ok(typeof claims === 'object');
  assert.deepEqual(
    [claims.subject, claims.sessionId, claims.epoch, claims.audience, claims.scopes, claims.custom],
    [USER, first.sessionId, 1, ['reports'], ['documents:read'], { plan: 'pro' }],
  );
  assert.deepEqual(claims.act, { subject: { type: 'service', id: 'shop' }, tenant: 'sallyport' });
  assert.ok(claims.expiresAt <= first.accessExpiresAt);
  const revoke = { kind: 'session', sessionId: first.sessionId } as const;
  const second = await tokenOf(exchange(world, first.accessToken));
  await world.sessions.revokeSessions(callOf(), 'default', revoke);
  assert.equal(await verified(world, second), 'CREDENTIAL_REVOKED');
  assert.deepEqual(await exchange(world, first.accessToken), INVALID);
});

test('scopes and life of an exchanged token only shrink', async () => {
  const world = createWorld();
  await addUser(world, 'ada');
  const first = await userTokens(world, { scopes: ['documents:read'] });
  const wider = { ...TOKENS, audience: ['reports'], scopes: ['documents:*'] };
  await assert.rejects(exchange(world, first.accessToken, { request: wider }), hasField('options.scopes[0]'));
  const claimed = { ...TOKENS, audience: ['reports'], claims: { plan: 'pro' } };
  await assert.rejects(exchange(world, first.accessToken, { request: claimed }), hasField('options.claims'));
  world.clock.advance(14 * MINUTE);
  const late = await exchange(world, first.accessToken);
  assert.ok(late.kind === 'exchanged' && late.expiresAt <= first.accessExpiresAt);
  assert.deepEqual(late.scopes, ['documents:read']);
  world.clock.advance(MINUTE);
  assert.deepEqual(await exchange(world, first.accessToken), INVALID);
});

test('a token that was meant for somebody else, or is of another tenant, opens nothing', async () => {
  const world = createWorld();
  await addUser(world, 'ada');
  const { accessToken } = await userTokens(world);
  assert.deepEqual(await exchange(world, accessToken, { ownAudience: 'reports' }), INVALID);
  assert.deepEqual(await exchange(world, accessToken, { tenant: 'acme' }), INVALID);
  assert.deepEqual(await exchange(world, `${accessToken}A`), INVALID);
  const reports = await tokenOf(exchange(world, accessToken));
  assert.deepEqual(await exchange(world, reports), INVALID);
});

test('another service acts by its token or key, and a chain of services is told and bounded', async () => {
  const world = createWorld();
  await addUser(world, 'ada');
  const { accessToken } = await userTokens(world);
  const { secret } = await createKey(world);
  const byKey = { actor: { kind: 'api_key', key: secret } } as const;
  const claims = await verified(world, await tokenOf(exchange(world, accessToken, byKey)));
  assert.deepEqual(typeof claims === 'object' && claims.act, { subject: BILLING, tenant: 'default' });
  const own = await issueBy(world, secret, { audience: ['shop'] });
  assert.ok(own.kind === 'tokens');
  const byToken = { actor: { kind: 'access_token', token: own.accessToken } } as const;
  assert.equal((await exchange(world, accessToken, byToken)).kind, 'exchanged');
  const byUser = { actor: { kind: 'access_token', token: accessToken } } as const;
  assert.deepEqual(await exchange(world, accessToken, byUser), INVALID);
  assert.deepEqual(await exchange(world, accessToken, { actor: { kind: 'api_key', key: 'sk_live_' } }), INVALID);
  let token = accessToken;
  const again = { ...TOKENS, audience: ['shop'] };
  for (let hop = 0; hop < 4; hop += 1) token = await tokenOf(exchange(world, token, { request: again }));
  const last = await verified(world, token);
  assert.equal(typeof last === 'object' && last.act?.act?.act?.act?.subject.id, 'shop');
  await assert.rejects(
    exchange(world, token, { request: again }),
    (error) => error instanceof DomainError && error.reason === 'LIMIT_EXCEEDED',
  );
});
