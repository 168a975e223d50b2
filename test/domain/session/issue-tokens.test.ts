import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError, type ErrorReason } from '../../../src/domain/errors.ts';
import { mintProof, sessionIdOf } from '../../../src/domain/identity/proof.ts';
import type { Rejection } from '../../../src/domain/identity/use-cases.ts';
import type { IssuedTokens, IssueTokensInput, SessionDocument } from '../../../src/domain/session/use-cases.ts';
import type { SubjectRef } from '../../../src/domain/subject.ts';
import { addUser, callOf, changeUser, createWorld, TOKENS, type World } from './world.ts';

const ADA = { type: 'user', id: 'ada' };
const REQUEST_ID = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';

function vouch(subject: SubjectRef = ADA, changes: Partial<IssueTokensInput> = {}): IssueTokensInput {
  return {
    tenant: 'default',
    proof: { kind: 'subject', subject },
    request: TOKENS,
    client: {},
    requestId: '',
    ...changes,
  };
}

function tokensOf(outcome: IssuedTokens | Rejection): IssuedTokens {
  assert.ok(outcome.kind === 'tokens', JSON.stringify(outcome));
  return outcome;
}

function isReason(reason: ErrorReason) {
  return (error: unknown) => error instanceof DomainError && error.reason === reason;
}

async function worldWithUser(): Promise<World> {
  const world = createWorld();
  await addUser(world, 'ada');
  return world;
}

async function proofOf(world: World): Promise<string> {
  const login = {
    tenant: 'default',
    subject: ADA,
    epoch: 1,
    methods: [
      { method: 'password', at: world.clock.now() - 5_000 },
      { method: 'totp', at: world.clock.now() },
    ],
    sessionId: sessionIdOf(world, 'default', { kind: 'fresh' }),
  } as const;
  return (await mintProof(world, login, { kind: 'fresh' }, 60_000)).token;
}

test('tokens carry the claims of the contract and what the caller asked for', async () => {
  const world = await worldWithUser();
  const request = { ...TOKENS, audience: ['api', 'files'], scopes: ['documents:*'], claims: { plan: 'pro' } };
  const proof = { kind: 'authentication_token', token: await proofOf(world) } as const;
  const issued = tokensOf(await world.sessions.issueTokens(callOf(), vouch(ADA, { proof, request })));
  const payload = JSON.parse(Buffer.from(issued.accessToken.split('.')[1] ?? '', 'base64url').toString());
  const now = world.clock.now() / 1000;
  assert.deepEqual(payload, {
    plan: 'pro',
    iss: 'http://issuer.test',
    sub: 'ada',
    aud: ['api', 'files'],
    exp: now + 900,
    iat: now,
    jti: payload.jti,
    client_id: 'service:shop',
    scope: 'documents:*',
    sid: issued.sessionId,
    tenant: 'default',
    epoch: 1,
    auth_time: now,
    acr: 'aal2',
    amr: ['pwd', 'otp', 'mfa'],
  });
  assert.equal(issued.accessExpiresAt, (now + 900) * 1000);
  assert.equal(issued.refreshExpiresAt, world.clock.now() + 7 * 24 * 3_600_000);
  const header = JSON.parse(Buffer.from(issued.accessToken.split('.')[0] ?? '', 'base64url').toString());
  const { keys } = await world.keys.jwks('default');
  assert.deepEqual(header, { alg: 'ES256', typ: 'at+jwt', kid: keys[0]?.['kid'] });
});

test('a proof repeated at once by its caller, 64 times, makes one session with one refresh token', async () => {
  const world = await worldWithUser();
  const proof = { kind: 'authentication_token', token: await proofOf(world) } as const;
  const outcomes = await Promise.all(
    Array.from({ length: 64 }, () => world.sessions.issueTokens(callOf(), vouch(ADA, { proof }))),
  );
  assert.equal(new Set(outcomes.map((outcome) => tokensOf(outcome).refreshToken)).size, 1);
  assert.equal(new Set(outcomes.map((outcome) => tokensOf(outcome).accessToken)).size, 64);
  const stored = await world.store.collection<SessionDocument>('sessions').list('default', { limit: 10 });
  assert.equal(stored.length, 1);
  const elsewhere = await world.sessions.issueTokens(callOf('mallory'), vouch(ADA, { proof }));
  assert.deepEqual(elsewhere, { kind: 'rejection', reason: 'PROOF_INVALID' });
  world.clock.advance(10_000);
  const late = await world.sessions.issueTokens(callOf(), vouch(ADA, { proof }));
  assert.deepEqual(late, { kind: 'rejection', reason: 'PROOF_INVALID' });
});

test('a request id retried 64 times at once gives one session; another body is refused, another caller is another session', async () => {
  const world = await worldWithUser();
  const input = vouch(ADA, { requestId: REQUEST_ID });
  const outcomes = await Promise.all(Array.from({ length: 64 }, () => world.sessions.issueTokens(callOf(), input)));
  assert.equal(new Set(outcomes.map((outcome) => tokensOf(outcome).refreshToken)).size, 1);
  const changed = vouch(ADA, { requestId: REQUEST_ID, request: { ...TOKENS, audience: ['other'] } });
  await assert.rejects(world.sessions.issueTokens(callOf(), changed), isReason('REQUEST_ID_REUSED'));
  const other = tokensOf(await world.sessions.issueTokens(callOf('other'), input));
  assert.notEqual(other.sessionId, outcomes[0]?.kind === 'tokens' && outcomes[0].sessionId);
  const fresh = await Promise.all([1, 2].map(() => world.sessions.issueTokens(callOf(), vouch())));
  assert.notEqual(tokensOf(fresh[0] ?? assert.fail()).sessionId, tokensOf(fresh[1] ?? assert.fail()).sessionId);
});

test('a retry after a rotation gets the spent first token, never the current one', async () => {
  const world = await worldWithUser();
  const input = vouch(ADA, { requestId: REQUEST_ID });
  const { refreshToken } = tokensOf(await world.sessions.issueTokens(callOf(), input));
  await world.sessions.rotateRefresh(callOf(), { tenant: 'default', refreshToken, scopes: [], client: {} });
  assert.equal(tokensOf(await world.sessions.issueTokens(callOf(), input)).refreshToken, refreshToken);
});

test('a retry never brings an ended session back', async () => {
  const world = await worldWithUser();
  const retry = () => world.sessions.issueTokens(callOf(), vouch(ADA, { requestId: REQUEST_ID }));
  const { sessionId } = tokensOf(await retry());
  world.clock.advance(7 * 24 * 3_600_000);
  assert.deepEqual(await retry(), { kind: 'rejection', reason: 'REFRESH_EXPIRED' });
  await world.sessions.revokeSessions(callOf(), 'default', { kind: 'session', sessionId });
  assert.deepEqual(await retry(), { kind: 'rejection', reason: 'SESSION_REVOKED' });
});

test('vouching needs a user who exists and is active; a service needs no record', async () => {
  const world = await worldWithUser();
  const nobody = vouch({ type: 'user', id: 'nobody' });
  await assert.rejects(world.sessions.issueTokens(callOf(), nobody), isReason('USER_NOT_FOUND'));
  for (const subject of [
    { type: 'group', id: 'eng' },
    { ...ADA, relation: 'member' },
  ]) {
    await assert.rejects(world.sessions.issueTokens(callOf(), vouch(subject)), isReason('INVALID_ARGUMENT'));
  }
  const service = tokensOf(await world.sessions.issueTokens(callOf(), vouch({ type: 'service', id: 'billing' })));
  const verdict = await world.sessions.verifyToken(callOf(), 'default', service.accessToken, 'api');
  assert.ok(verdict.active);
  assert.deepEqual(
    [verdict.subject, verdict.authTime, verdict.methods],
    [{ type: 'service', id: 'billing' }, undefined, []],
  );
  await changeUser(world, 'ada', { status: 'disabled' });
  const disabled = await world.sessions.issueTokens(callOf(), vouch());
  assert.deepEqual(disabled, { kind: 'rejection', reason: 'INVALID_CREDENTIALS' });
});

test('nothing is issued in an unknown tenant or in the one of callers', async () => {
  const world = await worldWithUser();
  const issue = (tenant: string) => world.sessions.issueTokens(callOf(), vouch(ADA, { tenant }));
  await assert.rejects(issue('nowhere'), isReason('TENANT_NOT_FOUND'));
  await assert.rejects(issue('sallyport'), isReason('RESERVED_TENANT'));
});

test('options that no token can carry are refused with the field, before the proof is spent', async () => {
  const world = await worldWithUser();
  const proof = { kind: 'authentication_token', token: await proofOf(world) } as const;
  const cases = [
    [{ audience: [] }, 'options.audience'],
    [{ audience: Array.from({ length: 17 }, () => 'a') }, 'options.audience'],
    [{ audience: [''] }, 'options.audience[0]'],
    [{ audience: ['a\u0000'] }, 'options.audience[0]'],
    [{ scopes: ['documents:read users:delete'] }, 'options.scopes[0]'],
    [{ scopes: Array.from({ length: 101 }, () => 'a:b') }, 'options.scopes'],
    [{ claims: { sub: 'root' } }, 'options.claims'],
    [{ claims: { tenant: 'acme' } }, 'options.claims'],
    [{ claims: { epoch: 99 } }, 'options.claims'],
    [{ claims: { big: 'x'.repeat(4 * 1024) } }, 'options.claims'],
  ] as const;
  for (const [change, field] of cases) {
    await assert.rejects(
      world.sessions.issueTokens(callOf(), vouch(ADA, { proof, request: { ...TOKENS, ...change } })),
      (error) => error instanceof DomainError && error.violations[0]?.field === field,
      `${field} ${JSON.stringify(change)}`,
    );
  }
  tokensOf(await world.sessions.issueTokens(callOf(), vouch(ADA, { proof })));
});

test('a user has at most 1,000 living sessions; ended ones make room', async () => {
  const world = await worldWithUser();
  const sessions = world.store.collection<SessionDocument>('sessions');
  const first = tokensOf(await world.sessions.issueTokens(callOf(), vouch()));
  const template = await sessions.get('default', first.sessionId);
  assert.ok(template !== undefined);
  for (let index = 0; index < 999; index += 1) {
    const id = `session-number-${String(index).padStart(4, '0')}`;
    await sessions.insert({ ...template, id, keys: [id] });
  }
  await assert.rejects(world.sessions.issueTokens(callOf(), vouch()), isReason('LIMIT_EXCEEDED'));
  await world.sessions.revokeSessions(callOf(), 'default', { kind: 'session', sessionId: first.sessionId });
  tokensOf(await world.sessions.issueTokens(callOf(), vouch()));
  await assert.rejects(world.sessions.issueTokens(callOf(), vouch()), isReason('LIMIT_EXCEEDED'));
  const ended = await world.sessions.revokeSessions(callOf(), 'default', { kind: 'user', userId: 'ada' });
  assert.equal(ended, 1_000);
  tokensOf(await world.sessions.issueTokens(callOf(), vouch()));
});
