import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError } from '../../../src/domain/errors.ts';
import type { Rejection } from '../../../src/domain/identity/use-cases.ts';
import type { IssuedTokens, SessionDocument } from '../../../src/domain/session/use-cases.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { addUser, callOf, changeUser, createWorld, TOKENS, type World } from './world.ts';

const ROUNDS = Number(process.env['SALLYPORT_TEST_ROUNDS'] ?? '20');

async function login(world: World, scopes: readonly string[] = []): Promise<IssuedTokens> {
  const proof = { kind: 'subject', subject: { type: 'user', id: 'ada' } } as const;
  const request = { ...TOKENS, scopes };
  const issued = await world.sessions.issueTokens(callOf(), {
    tenant: 'default',
    proof,
    request,
    client: {},
    requestId: '',
  });
  assert.equal(issued.kind, 'tokens');
  return issued as IssuedTokens;
}

function rotate(
  world: World,
  refreshToken: string,
  options: { caller?: string; deviceId?: string; scopes?: readonly string[]; tenant?: string } = {},
): Promise<IssuedTokens | Rejection> {
  const { caller = 'shop', deviceId, scopes = [], tenant = 'default' } = options;
  return world.sessions.rotateRefresh(callOf(caller), { tenant, refreshToken, scopes, client: { deviceId } });
}

function tokenOf(outcome: IssuedTokens | Rejection): string {
  assert.equal(outcome.kind, 'tokens', JSON.stringify(outcome));
  return outcome.kind === 'tokens' ? outcome.refreshToken : '';
}

function reasonOf(outcome: IssuedTokens | Rejection): string {
  return outcome.kind === 'rejection' ? outcome.reason : outcome.kind;
}

async function worldWithUser(settings = {}): Promise<World> {
  const world = createWorld({ settings });
  await addUser(world, 'ada');
  return world;
}

test('each rotation gives the next token of the same session, and moves the idle end but not the absolute one', async () => {
  const world = await worldWithUser();
  const first = await login(world);
  world.clock.advance(60_000);
  const second = await rotate(world, first.refreshToken);
  assert.ok(second.kind === 'tokens');
  assert.notEqual(second.refreshToken, first.refreshToken);
  assert.equal(second.sessionId, first.sessionId);
  assert.equal(second.refreshExpiresAt, (first.refreshExpiresAt ?? 0) + 60_000);
  for (let days = 0, token = second.refreshToken; days < 29; days += 1) {
    world.clock.advance(24 * 3_600_000);
    token = tokenOf(await rotate(world, token));
    if (days === 28) {
      world.clock.advance(24 * 3_600_000);
      assert.equal(reasonOf(await rotate(world, token)), 'REFRESH_EXPIRED');
    }
  }
});

test('a lost answer is repeated with the same bytes at most three times, then the session is revoked', async () => {
  const world = await worldWithUser();
  const { refreshToken } = await login(world);
  const next = tokenOf(await rotate(world, refreshToken));
  world.clock.advance(9_999);
  for (let repeat = 0; repeat < 3; repeat += 1) assert.equal(tokenOf(await rotate(world, refreshToken)), next);
  assert.equal(reasonOf(await rotate(world, refreshToken)), 'REFRESH_REUSED');
  assert.equal(reasonOf(await rotate(world, next)), 'SESSION_REVOKED');
});

test('after the grace time a spent token revokes its session, and its access token with it', async () => {
  const world = await worldWithUser();
  const { refreshToken, sessionId, accessToken } = await login(world);
  await rotate(world, refreshToken);
  world.clock.advance(10_000);
  const before = await world.sessions.verifyToken(callOf(), 'default', accessToken, '');
  assert.equal(before.active, true);
  assert.equal(reasonOf(await rotate(world, refreshToken)), 'REFRESH_REUSED');
  assert.deepEqual(
    world.replicas.log.map(({ revocation }) => [revocation.kind, revocation.id]),
    [['session', sessionId]],
  );
  const after = await world.sessions.verifyToken(callOf(), 'default', accessToken, '');
  assert.deepEqual(after, { active: false, reason: 'CREDENTIAL_REVOKED' });
  const stored = await world.store.collection<SessionDocument>('sessions').get('default', sessionId);
  assert.equal(stored?.revokedBecause, 'reuse');
  assert.deepEqual(stored?.outbox, []);
});

test('grace 0 is the strict rule: any second use revokes', async () => {
  const world = await worldWithUser({ refreshGraceMs: 0 });
  const { refreshToken } = await login(world);
  await rotate(world, refreshToken);
  assert.equal(reasonOf(await rotate(world, refreshToken)), 'REFRESH_REUSED');
});

test('within the grace time another caller, another device, or an older generation is reuse', async () => {
  const cases = [
    { first: {}, second: { caller: 'mallory' } },
    { first: { deviceId: 'a' }, second: { deviceId: 'b' } },
    { first: { deviceId: 'a' }, second: {} },
    { first: {}, second: { deviceId: 'a' } },
  ];
  for (const { first, second } of cases) {
    const world = await worldWithUser();
    const { refreshToken } = await login(world);
    await rotate(world, refreshToken, first);
    assert.equal(
      reasonOf(await rotate(world, refreshToken, second)),
      'REFRESH_REUSED',
      JSON.stringify({ first, second }),
    );
  }
  const world = await worldWithUser();
  const { refreshToken } = await login(world);
  await rotate(world, tokenOf(await rotate(world, refreshToken)));
  assert.equal(reasonOf(await rotate(world, refreshToken)), 'REFRESH_REUSED');
});

test('64 uses of one token at once leave one line of succession', async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const world = await worldWithUser();
    const { refreshToken, sessionId } = await login(world);
    const outcomes = await Promise.all(Array.from({ length: 64 }, () => rotate(world, refreshToken)));
    const successors = outcomes.filter((outcome) => outcome.kind === 'tokens').map(tokenOf);
    assert.equal(successors.length, 4, 'one rotation and three repeats');
    assert.equal(new Set(successors).size, 1);
    assert.equal(outcomes.filter((outcome) => reasonOf(outcome) === 'REFRESH_REUSED').length, 1);
    assert.equal(outcomes.filter((outcome) => reasonOf(outcome) === 'SESSION_REVOKED').length, 59);
    const stored = await world.store.collection<SessionDocument>('sessions').get('default', sessionId);
    assert.equal(stored?.generation, 2);
    assert.equal(world.replicas.log.length, 1, 'told once');
  }
});

test('two replicas that rotate one token at once agree on its successor', async () => {
  const here = await worldWithUser();
  const there = createWorld({ shared: here });
  const { refreshToken } = await login(here);
  const outcomes = await Promise.all([rotate(here, refreshToken), rotate(there, refreshToken)]);
  assert.equal(new Set(outcomes.map(tokenOf)).size, 1);
});

test('a forged, altered or foreign token is unknown and changes nothing', async () => {
  const world = await worldWithUser();
  await addUser(world, 'ada', 'acme');
  const { refreshToken } = await login(world);
  const flipped = (at: number): string => {
    const character = refreshToken[at] === 'A' ? 'B' : 'A';
    return refreshToken.slice(0, at) + character + refreshToken.slice(at + 1);
  };
  const forged = Array.from({ length: refreshToken.length - 3 }, (_, index) => flipped(index + 3));
  for (const token of [...forged, '', 'rt_', `${refreshToken}=`, ` ${refreshToken}`, `${refreshToken}\n`]) {
    assert.equal(reasonOf(await rotate(world, token)), 'REFRESH_UNKNOWN', token);
  }
  assert.equal(reasonOf(await rotate(world, refreshToken, { tenant: 'acme' })), 'REFRESH_UNKNOWN');
  tokenOf(await rotate(world, refreshToken));
});

test('an inactive user, a newer epoch or a missing user ends the session', async () => {
  for (const change of [{ status: 'disabled' }, { epoch: 2 }, { status: 'deleting' }] as const) {
    const world = await worldWithUser();
    const { refreshToken } = await login(world);
    await changeUser(world, 'ada', change);
    assert.equal(reasonOf(await rotate(world, refreshToken)), 'SESSION_REVOKED');
  }
});

test('scopes only narrow, and asking for more spends nothing', async () => {
  const world = await worldWithUser();
  const { refreshToken } = await login(world, ['documents:*', 'reports:read']);
  await assert.rejects(rotate(world, refreshToken, { scopes: ['documents:read', 'users:read'] }), (error) => {
    assert.ok(error instanceof DomainError);
    assert.deepEqual(
      error.violations.map(({ field }) => field),
      ['scopes[1]'],
    );
    return true;
  });
  const narrowed = await rotate(world, refreshToken, { scopes: ['documents:read'] });
  assert.ok(narrowed.kind === 'tokens');
  const claims = await world.sessions.verifyToken(callOf(), 'default', narrowed.accessToken, 'api');
  assert.deepEqual(claims.active && claims.scopes, ['documents:read']);
  // Only that access token was narrower.
  const wide = await rotate(world, narrowed.refreshToken);
  assert.ok(wide.kind === 'tokens');
  const widened = await world.sessions.verifyToken(callOf(), 'default', wide.accessToken, '');
  assert.deepEqual(widened.active && widened.scopes, ['documents:*', 'reports:read']);
});

test('a reuse whose revocation cannot be logged is an error, and finished by the next call', async () => {
  const world = await worldWithUser();
  const { refreshToken, sessionId } = await login(world);
  const next = tokenOf(await rotate(world, refreshToken));
  world.clock.advance(60_000);
  world.replicas.failWith(new Fault('UNAVAILABLE', 'the log does not answer'));
  await assert.rejects(rotate(world, refreshToken), Fault);
  const pending = await world.store.collection<SessionDocument>('sessions').pending(Number.MAX_SAFE_INTEGER, 10);
  assert.deepEqual(
    pending.map(({ id }) => id),
    [sessionId],
  );
  world.replicas.failWith(undefined);
  assert.equal(reasonOf(await rotate(world, next)), 'SESSION_REVOKED');
  assert.equal(world.replicas.log.length, 1);
});

test('a store that does not answer is UNAVAILABLE, and the token still works afterwards', async () => {
  const world = await worldWithUser();
  const { refreshToken } = await login(world);
  world.store.outage(true);
  await assert.rejects(rotate(world, refreshToken), (error) => error instanceof Fault && error.code === 'UNAVAILABLE');
  world.store.outage(false);
  tokenOf(await rotate(world, refreshToken));
});

test('a clock set back does not open the grace time of a spent token again', async () => {
  const world = await worldWithUser();
  const { refreshToken } = await login(world);
  world.clock.advance(3_600_000);
  await rotate(world, refreshToken);
  world.clock.advance(-1_800_000);
  assert.equal(reasonOf(await rotate(world, refreshToken)), 'REFRESH_REUSED');
});
