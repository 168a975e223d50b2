import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError, type ErrorReason } from '../../../src/domain/errors.ts';
import type { IssuedTokens, SessionDocument } from '../../../src/domain/session/use-cases.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { addUser, callOf, createWorld, TOKENS, type World } from './world.ts';

async function login(world: World, id = 'ada'): Promise<IssuedTokens> {
  const proof = { kind: 'subject', subject: { type: 'user', id } } as const;
  const input = { tenant: 'default', proof, request: TOKENS, client: {}, requestId: '' };
  const issued = await world.sessions.issueTokens(callOf(), input);
  assert.ok(issued.kind === 'tokens');
  return issued;
}

function isReason(reason: ErrorReason) {
  return (error: unknown) => error instanceof DomainError && error.reason === reason;
}

async function isActive(world: World, token: string): Promise<boolean> {
  return (await world.sessions.verifyToken(callOf(), 'default', token, '')).active;
}

async function worldWithUsers(): Promise<World> {
  const world = createWorld();
  await addUser(world, 'ada');
  await addUser(world, 'bob');
  return world;
}

test('revoking a session ends its tokens at once, and counts it once', async () => {
  const world = await worldWithUsers();
  const [one, other] = [await login(world), await login(world)];
  assert.ok((await isActive(world, one.accessToken)) && (await isActive(world, other.accessToken)));
  const target = { kind: 'session', sessionId: one.sessionId } as const;
  assert.equal(await world.sessions.revokeSessions(callOf(), 'default', target), 1);
  assert.equal(await world.sessions.revokeSessions(callOf(), 'default', target), 0);
  assert.equal(await isActive(world, one.accessToken), false);
  assert.equal(await isActive(world, other.accessToken), true);
  const rotation = { tenant: 'default', refreshToken: one.refreshToken, scopes: [], client: {} };
  assert.deepEqual(await world.sessions.rotateRefresh(callOf(), rotation), {
    kind: 'rejection',
    reason: 'SESSION_REVOKED',
  });
});

test('a refresh token of any generation revokes its session; a foreign or forged one revokes nothing', async () => {
  const world = await worldWithUsers();
  const { refreshToken, accessToken } = await login(world);
  await world.sessions.rotateRefresh(callOf(), { tenant: 'default', refreshToken, scopes: [], client: {} });
  const revoke = (token: string, tenant = 'default') =>
    world.sessions.revokeSessions(callOf(), tenant, { kind: 'refresh_token', token });
  assert.equal(await revoke(refreshToken, 'acme'), 0);
  assert.equal(await revoke(`${refreshToken.slice(0, 40)}A${refreshToken.slice(41)}`), 0);
  assert.equal(await revoke('nonsense'), 0);
  assert.equal(await isActive(world, accessToken), true);
  assert.equal(await revoke(refreshToken), 1);
  assert.equal(await isActive(world, accessToken), false);
});

test('one write ends every session of a user and of nobody else; a new login works', async () => {
  const world = await worldWithUsers();
  const adas = [await login(world), await login(world)];
  const bobs = await login(world, 'bob');
  assert.equal(await world.sessions.revokeSessions(callOf(), 'default', { kind: 'user', userId: 'ada' }), 2);
  for (const { accessToken } of adas) assert.equal(await isActive(world, accessToken), false);
  assert.equal(await isActive(world, bobs.accessToken), true);
  assert.equal(await isActive(world, (await login(world)).accessToken), true);
  assert.deepEqual(
    world.replicas.log.map(({ revocation }) => revocation.kind === 'user' && revocation.epoch),
    [2],
  );
});

test('a clock that is set back an hour brings no revoked session back, nor does a replica that starts then', async () => {
  const world = await worldWithUsers();
  const [one, adas, bobs] = [await login(world), await login(world), await login(world, 'bob')];
  world.clock.advance(60_000);
  const { sessions } = world;
  assert.equal(await sessions.revokeSessions(callOf(), 'default', { kind: 'session', sessionId: one.sessionId }), 1);
  assert.equal(await sessions.revokeSessions(callOf(), 'default', { kind: 'user', userId: 'ada' }), 1);
  world.clock.advance(-3_600_000);
  for (const replica of [world, createWorld({ shared: world })]) {
    const rotate = ({ refreshToken }: IssuedTokens) =>
      replica.sessions.rotateRefresh(callOf(), { tenant: 'default', refreshToken, scopes: [], client: {} });
    for (const ended of [one, adas]) assert.equal((await rotate(ended)).kind, 'rejection');
    assert.equal((await rotate(bobs)).kind, 'tokens', 'the clock itself ends nothing');
  }
  for (const { accessToken } of [one, adas]) assert.equal(await isActive(world, accessToken), false);
});

test('what is not there is said', async () => {
  const world = await worldWithUsers();
  const revoke = (target: Parameters<World['sessions']['revokeSessions']>[2], tenant = 'default') =>
    world.sessions.revokeSessions(callOf(), tenant, target);
  await assert.rejects(revoke({ kind: 'session', sessionId: 'nothing' }), isReason('SESSION_NOT_FOUND'));
  await assert.rejects(revoke({ kind: 'user', userId: 'nobody' }), isReason('USER_NOT_FOUND'));
  await assert.rejects(revoke({ kind: 'user', userId: 'ada' }, 'nowhere'), isReason('TENANT_NOT_FOUND'));
});

test('the answer comes only when the revocation is in the log; until then it stays with the session', async () => {
  const world = await worldWithUsers();
  const { sessionId, accessToken } = await login(world);
  const target = { kind: 'session', sessionId } as const;
  world.replicas.failWith(new Fault('UNAVAILABLE', 'the log does not answer'));
  await assert.rejects(world.sessions.revokeSessions(callOf(), 'default', target), Fault);
  const sessions = world.store.collection<SessionDocument>('sessions');
  assert.equal((await sessions.pending(Number.MAX_SAFE_INTEGER, 10)).length, 1);
  world.replicas.failWith(undefined);
  assert.equal(await world.sessions.revokeSessions(callOf(), 'default', target), 0);
  assert.equal(await isActive(world, accessToken), false);
  assert.equal((await sessions.pending(Number.MAX_SAFE_INTEGER, 10)).length, 0);
});

test('64 revocations of one session at once are told once', async () => {
  const world = await worldWithUsers();
  const { sessionId } = await login(world);
  const counts = await Promise.all(
    Array.from({ length: 64 }, () =>
      world.sessions.revokeSessions(callOf(), 'default', { kind: 'session', sessionId }),
    ),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    1,
  );
  assert.equal(world.replicas.log.length, 1);
});
