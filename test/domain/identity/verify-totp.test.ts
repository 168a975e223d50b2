import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spendProof } from '../../../src/domain/identity/proof.ts';
import type { LoginOutcome, VerifyTotpInput } from '../../../src/domain/identity/use-cases.ts';
import {
  call,
  callBy,
  type Enrolled,
  issueTokens,
  memoryWorld,
  OTHER_PASSWORD,
  sqliteWorld,
  tally,
  type World,
} from './identity-world.ts';

const rejection = (reason: string) => ({ kind: 'rejection', reason });
const MINUTE = 60_000;

async function challengeOf(world: World): Promise<string> {
  const login = await world.login();
  assert.ok(login.kind === 'challenge', login.kind);
  return login.challengeToken;
}

function forChallenge(challengeToken: string, value: string, kind: 'totp' | 'recovery_code' = 'totp'): VerifyTotpInput {
  return { tenant: 'default', target: { kind: 'challenge', challengeToken }, code: { kind, value }, client: {} };
}

function forUser(user: Enrolled['user'], value: string, kind: 'totp' | 'recovery_code' = 'totp'): VerifyTotpInput {
  return { tenant: 'default', target: { kind: 'user', userId: user.id }, code: { kind, value }, client: {} };
}

test('a login with a second factor is a challenge, which a code finishes', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const login = await world.login();
  assert.ok(login.kind === 'challenge');
  assert.match(login.challengeToken, /^ch_[A-Za-z0-9_-]{64}$/);
  assert.deepEqual(login.steps, ['totp', 'recovery_code']);
  assert.equal(login.expiresAt, world.clock.now() + 5 * MINUTE);
  const started = world.clock.now();
  world.clock.advance(1000);
  const done = await world.identity.verifyTotp(call, forChallenge(login.challengeToken, ada.code()));
  assert.ok(done.kind === 'authenticated' && done.userId === ada.user.id);
  assert.deepEqual(done.methods, [
    { method: 'password', at: started },
    { method: 'totp', at: started + 1000 },
  ]);
  const spent = await spendProof(world.ports, call, 'default', done.authenticationToken);
  assert.ok(spent !== 'PROOF_INVALID' && spent.methods.length === 2);
});

test('a repeated last step gives the same authentication token to the same caller for ten seconds, and nothing after', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const input = forChallenge(await challengeOf(world), ada.code());
  const verify = (by = 'service:app') => world.identity.verifyTotp(callBy(by), input);
  const first = await verify();
  world.clock.advance(9_000);
  assert.deepEqual({ ...(await verify()), methods: [] }, { ...first, methods: [] });
  assert.deepEqual(await verify('service:other'), rejection('CHALLENGE_EXPIRED'));
  world.clock.advance(1_000);
  assert.deepEqual(await verify(), rejection('CHALLENGE_EXPIRED'));
});

test('one code for one challenge, presented 64 times at once to two replicas, makes one session', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const input = { ...forChallenge(await challengeOf(world), ada.code()), issue: issueTokens };
  const replicas = [world.identity, world.replica()];
  const outcomes = await Promise.all(
    Array.from({ length: 64 }, (_, index) => (replicas[index % 2] ?? world.identity).verifyTotp(call, input)),
  );
  const tokens = outcomes.flatMap((one) => (one.kind === 'authenticated' && one.issued ? [one.issued] : []));
  assert.ok(tokens.length >= 1);
  assert.equal(new Set(tokens.map((one) => one.sessionId)).size, 1);
  assert.equal((await world.sessions()).length, 1);
  const others = Object.keys(tally(outcomes)).filter((name) => name !== 'authenticated');
  assert.ok(
    others.every((name) => name === 'RATE_LIMITED'),
    String(others),
  );
});

test('one code for 64 challenges at once finishes one of them', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const challenges: string[] = [];
  for (let index = 0; index < 64; index += 1) challenges.push(await challengeOf(world));
  const outcomes = await Promise.all(
    challenges.map((token) => world.identity.verifyTotp(call, forChallenge(token, ada.code()))),
  );
  assert.deepEqual(tally(outcomes), { authenticated: 1, CODE_ALREADY_USED: 63 });
});

test('one code, and one recovery code, presented 64 times at once for a user works once', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const use = async (input: VerifyTotpInput): Promise<Readonly<Record<string, number>>> =>
    tally(await Promise.all(Array.from({ length: 64 }, () => world.identity.verifyTotp(call, input))));
  assert.deepEqual(await use(forUser(ada.user, ada.code())), { authenticated: 1, CODE_ALREADY_USED: 63 });
  const recovery = forUser(ada.user, ada.recoveryCodes[3] ?? '', 'recovery_code');
  assert.deepEqual(await use(recovery), { authenticated: 1, CODE_ALREADY_USED: 63 });
  assert.equal((await world.stored(ada.user.id)).recoveryCodes.length, 9);
});

test('one code at once on four replicas works once, and none of the others gets in', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const replicas = [world.identity, world.replica(), world.replica(), world.replica()];
  const outcomes = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      (replicas[index % 4] ?? world.identity).verifyTotp(call, forUser(ada.user, ada.code())),
    ),
  );
  assert.equal(tally(outcomes)['authenticated'], 1);
});

test('a code of an earlier step than the last one used is used up with it, even when the clock is set back', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const verify = (code: string) => world.identity.verifyTotp(call, forUser(ada.user, code));
  const [before, now, next] = [ada.code(-1), ada.code(), ada.code(1)];
  assert.equal((await verify(next)).kind, 'authenticated');
  assert.deepEqual(await verify(now), rejection('CODE_ALREADY_USED'));
  assert.deepEqual(await verify(before), rejection('CODE_ALREADY_USED'));
  assert.deepEqual(await verify(next), rejection('CODE_ALREADY_USED'));
});

test('a factor check of a user gives no authentication token and changes nothing but the used step', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const outcome = await world.identity.verifyTotp(call, forUser(ada.user, ada.code()));
  assert.ok(outcome.kind === 'authenticated' && outcome.authenticationToken === '');
  const { version: _, totp, usedCode: __, ...after } = await world.stored(ada.user.id);
  const { version: ___, totp: before, usedCode: ____, ...unchanged } = ada.user;
  assert.deepEqual(after, unchanged);
  assert.ok((totp?.lastStep ?? 0) > (before?.lastStep ?? 0));
  await assert.rejects(world.identity.verifyTotp(call, { ...forUser(ada.user, ada.code()), issue: issueTokens }), {
    reason: 'INVALID_ARGUMENT',
  });
});

test('five wrong codes per user in five minutes, whichever way and on whichever replica they come, then LOCKED', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const replicas = [world.identity, world.replica()];
  const inputs = [forUser(ada.user, '000000'), forChallenge(await challengeOf(world), '000000')];
  const wrong = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      (replicas[index % 2] ?? world.identity).verifyTotp(call, inputs[(index >> 1) % 2] ?? forUser(ada.user, '000000')),
    ),
  );
  const counts = tally(wrong);
  assert.ok((counts['CODE_INVALID'] ?? 0) <= 5 && counts['authenticated'] === undefined, JSON.stringify(counts));
  let left: LoginOutcome = rejection('CODE_INVALID') as LoginOutcome;
  while (left.kind === 'rejection' && left.reason === 'CODE_INVALID') {
    left = await world.identity.verifyTotp(call, forUser(ada.user, '000000'));
  }
  assert.deepEqual(left, { ...rejection('LOCKED'), retryAfterMs: 5 * MINUTE });
  assert.equal(tally([await world.identity.verifyTotp(call, forUser(ada.user, ada.code()))])['LOCKED'], 1);
  world.clock.advance(5 * MINUTE);
  assert.equal((await world.identity.verifyTotp(call, forUser(ada.user, ada.code()))).kind, 'authenticated');
});

test('a challenge bears five wrong codes, however long it lives', async () => {
  await using world = await memoryWorld();
  const ada = await world.userWithTotp();
  const tenants = world.store.collection('tenants');
  const stored = await tenants.get('sallyport', 'default');
  assert.ok(stored);
  await tenants.replace({ ...stored, settings: { challengeMs: 60 * MINUTE } } as typeof stored, stored.version);
  world.clock.advance(60_000);
  const challenge = await challengeOf(world);
  for (let round = 0; round < 5; round += 1) {
    const outcome = await world.identity.verifyTotp(call, forChallenge(challenge, '000000'));
    assert.deepEqual(outcome, rejection('CODE_INVALID'));
  }
  world.clock.advance(5 * MINUTE);
  const outcome = await world.identity.verifyTotp(call, forChallenge(challenge, ada.code()));
  assert.deepEqual(outcome, rejection('CHALLENGE_EXPIRED'));
});

test('a recovery code finishes a login once, in any form, and is gone; its repeat by the same request is the same login', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const code = (ada.recoveryCodes[0] ?? '').toLowerCase().replaceAll('-', '');
  const input = forChallenge(await challengeOf(world), code, 'recovery_code');
  const first = await world.identity.verifyTotp(call, input);
  assert.ok(first.kind === 'authenticated' && first.methods[1]?.method === 'recovery_code');
  const repeat = await world.identity.verifyTotp(call, input);
  assert.ok(repeat.kind === 'authenticated' && repeat.authenticationToken === first.authenticationToken);
  const again = forChallenge(await challengeOf(world), code, 'recovery_code');
  assert.deepEqual(await world.identity.verifyTotp(call, again), rejection('CODE_ALREADY_USED'));
  assert.equal((await world.stored(ada.user.id)).recoveryCodes.length, 9);
  const other = forChallenge(await challengeOf(world), ada.recoveryCodes[1] ?? '', 'recovery_code');
  assert.equal((await world.identity.verifyTotp(call, other)).kind, 'authenticated');
});

test('a challenge is over after five minutes, when its user was reset, and when it is not one', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const over = rejection('CHALLENGE_EXPIRED');
  const late = await challengeOf(world);
  world.clock.advance(5 * MINUTE);
  assert.deepEqual(await world.identity.verifyTotp(call, forChallenge(late, ada.code())), over);
  const overtaken = await challengeOf(world);
  await world.identity.setPassword(call, 'default', ada.user.id, OTHER_PASSWORD, false);
  assert.deepEqual(await world.identity.verifyTotp(call, forChallenge(overtaken, ada.code())), over);
  const open = await world.login('ada@example.com', OTHER_PASSWORD);
  assert.ok(open.kind === 'challenge');
  const forged = open.challengeToken.slice(0, -1) + (open.challengeToken.endsWith('-') ? '_' : '-');
  for (const token of ['', 'ch_', forged, open.challengeToken.replace('ch_', 'at_'), `ch_${'A'.repeat(64)}`]) {
    assert.deepEqual(await world.identity.verifyTotp(call, forChallenge(token, ada.code())), over);
  }
  assert.equal(
    (await world.identity.verifyTotp(call, forChallenge(open.challengeToken, ada.code()))).kind,
    'authenticated',
  );
});

for (const [laterMs, expected] of [
  [9_999, 'authenticated'],
  [10_000, 'CODE_ALREADY_USED'],
] as const) {
  test(`a kill between using the code and ending the challenge, the same request ${laterMs} ms later: ${expected}`, async () => {
    await using world = await memoryWorld();
    const ada = await world.userWithTotp();
    const input = forChallenge(await challengeOf(world), ada.code());
    let replaced = 0;
    world.memory.before((name) => {
      if (name === 'replace') replaced += 1;
      // The first swap uses the code; the second would end the challenge.
      if (replaced === 2) world.memory.outage(true);
    });
    await assert.rejects(world.identity.verifyTotp(call, input), { code: 'UNAVAILABLE' });
    world.memory.before(undefined);
    world.memory.outage(false);
    assert.equal(tally([await world.identity.verifyTotp(callBy('service:other'), input)])['CODE_ALREADY_USED'], 1);
    world.clock.advance(laterMs);
    assert.equal(tally([await world.identity.verifyTotp(call, input)])[expected], 1);
  });
}

test('a seed that was moved from another user does not open', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const eve = await world.userWithTotp('eve@example.com');
  const users = world.store.collection<Enrolled['user']>('users');
  const moved = await world.stored(ada.user.id);
  await users.replace({ ...moved, totp: eve.user.totp }, moved.version);
  await assert.rejects(world.identity.verifyTotp(call, forUser(ada.user, eve.code())), { name: 'SealError' });
});

test('a token without a living session steps nothing up, and a step-up takes no issue', async () => {
  await using world = await memoryWorld();
  for (const target of [
    { kind: 'access_token', accessToken: 'x' },
    { kind: 'session_token', sessionToken: 'x' },
  ] as const) {
    const input = { tenant: 'default', target, code: { kind: 'totp', value: '000000' }, client: {} } as const;
    const outcome = await world.identity.verifyTotp(call, input);
    assert.ok(outcome.kind === 'rejection' && outcome.reason === 'SESSION_REVOKED');
    await assert.rejects(world.identity.verifyTotp(call, { ...input, issue: issueTokens }), {
      reason: 'INVALID_ARGUMENT',
    });
  }
});
