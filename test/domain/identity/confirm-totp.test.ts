import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChallengeDocument } from '../../../src/domain/identity/login-document.ts';
import { totpCode, totpStep } from '../../../src/domain/identity/totp.ts';
import { call, issueTokens, memoryWorld, PASSWORD, sqliteWorld, type World } from './identity-world.ts';

const rejection = (reason: string) => ({ kind: 'rejection', reason });

/** Begins an enrollment and reads its secret where only a test can. */
async function enroll(world: World, userId: string): Promise<{ secret: Uint8Array; code(): string }> {
  const target = { kind: 'user', userId } as const;
  const enrollment = await world.identity.enrollTotp(call, { tenant: 'default', target });
  assert.ok(enrollment.kind === 'enrollment');
  const user = await world.stored(userId);
  const place = { collection: 'users', tenant: 'default', id: userId, field: 'totp' };
  const secret = await world.ports.sealer.open('totp-seed', place, user.totp?.sealedSecret ?? '');
  assert.ok(!JSON.stringify(user).includes(enrollment.secret), 'sealed at rest');
  return { secret, code: () => totpCode(secret, totpStep(world.clock.now())) };
}

const confirm = (world: World, userId: string, code: string) =>
  world.identity.confirmTotp(call, { tenant: 'default', target: { kind: 'user', userId }, code, client: {} });

test('an enrollment counts from its first code on, ends what the user carried, and gives ten recovery codes once', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const app = await enroll(world, user.id);
  assert.equal((await world.login()).kind, 'authenticated', 'not in force before it is confirmed');
  const outcome = await confirm(world, user.id, app.code());
  assert.ok(outcome.kind === 'confirmed' && outcome.userId === user.id && outcome.login === undefined);
  assert.equal(outcome.recoveryCodes.length, 10);
  const stored = await world.stored(user.id);
  assert.equal(stored.epoch, user.epoch + 1);
  assert.deepEqual(stored.outbox, []);
  assert.equal(world.revoked.length, 1);
  for (const code of outcome.recoveryCodes) assert.ok(!JSON.stringify(stored).includes(code));
  assert.equal((await world.login()).kind, 'challenge');
  await assert.rejects(confirm(world, user.id, app.code()), { reason: 'FACTOR_ALREADY_ENROLLED' });
  await assert.rejects(enroll(world, user.id), { reason: 'FACTOR_ALREADY_ENROLLED' });
  // The confirming code is used up.
  const target = { kind: 'user', userId: user.id } as const;
  const code = { kind: 'totp', value: app.code() } as const;
  const again = await world.identity.verifyTotp(call, { tenant: 'default', target, code, client: {} });
  assert.deepEqual(again, rejection('CODE_ALREADY_USED'));
});

test('of 64 confirmations at once, on two replicas, one tells its recovery codes', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const app = await enroll(world, user.id);
  const replicas = [world.identity, world.replica()];
  const input = { tenant: 'default', target: { kind: 'user', userId: user.id }, code: app.code(), client: {} } as const;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 64 }, (_, index) => (replicas[index % 2] ?? world.identity).confirmTotp(call, input)),
  );
  const confirmed = outcomes.filter((one) => one.status === 'fulfilled' && one.value.kind === 'confirmed');
  assert.equal(confirmed.length, 1);
  for (const one of outcomes) {
    if (one.status === 'rejected') assert.equal(one.reason.reason, 'FACTOR_ALREADY_ENROLLED');
    else assert.equal(one.value.kind, 'confirmed');
  }
  assert.equal((await world.stored(user.id)).epoch, 2);
});

test('a second enrollment replaces the first, and one that waits a quarter of an hour is over', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  await assert.rejects(confirm(world, user.id, '000000'), { reason: 'ENROLLMENT_NOT_FOUND' });
  const first = await enroll(world, user.id);
  const second = await enroll(world, user.id);
  assert.deepEqual(await confirm(world, user.id, first.code()), rejection('CODE_INVALID'));
  world.clock.advance(15 * 60_000);
  await assert.rejects(confirm(world, user.id, second.code()), { reason: 'ENROLLMENT_NOT_FOUND' });
  const third = await enroll(world, user.id);
  assert.equal((await confirm(world, user.id, third.code())).kind, 'confirmed');
});

test('an enrollment that is replaced, or a user that is reset, while its code is checked is not confirmed', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  for (const overtake of [
    () => world.identity.enrollTotp(call, { tenant: 'default', target: { kind: 'user', userId: user.id } }),
    () => world.identity.setPassword(call, 'default', user.id, PASSWORD, false),
  ]) {
    const app = await enroll(world, user.id);
    let counted = 0;
    world.memory.before(async (name) => {
      // The user has been read when the attempt is counted; the swap comes after.
      if (name !== 'counters.add' || counted > 0) return;
      counted += 1;
      await overtake();
    });
    await assert.rejects(confirm(world, user.id, app.code()), { reason: 'ENROLLMENT_NOT_FOUND' });
    world.memory.before(undefined);
    assert.equal((await world.stored(user.id)).totp?.confirmedAt, undefined);
  }
});

test('wrong codes of an enrollment are counted like any others', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const app = await enroll(world, user.id);
  for (let round = 0; round < 5; round += 1) {
    assert.deepEqual(await confirm(world, user.id, '000000'), rejection('CODE_INVALID'));
  }
  const locked = await confirm(world, user.id, app.code());
  assert.ok(locked.kind === 'rejection' && locked.reason === 'LOCKED');
});

test('a challenge that asks for an enrollment is finished by it, under the new epoch', async () => {
  await using world = await sqliteWorld();
  const ada = await world.userWithTotp();
  const login = await world.login();
  assert.ok(login.kind === 'challenge');
  // Nothing asks for an enrollment yet (the factor policy is to come), so the challenge is made to.
  const target = { kind: 'challenge', challengeToken: login.challengeToken } as const;
  const input = { tenant: 'default', target } as const;
  await assert.rejects(world.identity.enrollTotp(call, input), { reason: 'INVALID_ARGUMENT' });
  const challenges = world.store.collection<ChallengeDocument>('challenges');
  const [challenge] = (await challenges.list('default', { limit: 10 })).filter(({ kind }) => kind === 'challenge');
  assert.ok(challenge);
  const { version: _, ...asked } = challenge;
  await challenges.replace({ ...asked, steps: ['enroll_totp'] }, challenge.version);
  await assert.rejects(world.identity.enrollTotp(call, input), { reason: 'FACTOR_ALREADY_ENROLLED' });
  const user = await world.stored(ada.user.id);
  await world.store.collection<typeof user>('users').replace({ ...user, totp: undefined }, user.version);

  const enrollment = await world.identity.enrollTotp(call, input);
  assert.ok(enrollment.kind === 'enrollment');
  const place = { collection: 'users', tenant: 'default', id: user.id, field: 'totp' };
  const sealed = (await world.stored(user.id)).totp?.sealedSecret ?? '';
  const secret = await world.ports.sealer.open('totp-seed', place, sealed);
  const code = totpCode(secret, totpStep(world.clock.now()));
  const outcome = await world.identity.confirmTotp(call, { ...input, code, client: {}, issue: issueTokens });
  assert.ok(outcome.kind === 'confirmed' && outcome.login?.kind === 'authenticated');
  assert.deepEqual(
    outcome.login.methods.map(({ method }) => method),
    ['password', 'totp'],
  );
  assert.equal((await world.sessions()).length, 1);
  assert.deepEqual(await world.identity.enrollTotp(call, input), rejection('CHALLENGE_EXPIRED'));
});
