import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callBy, memoryWorld, OTHER_PASSWORD, PASSWORD, sqliteWorld, tally, type World } from './identity-world.ts';

const call = callBy();
const tenant = 'default';
const THIRD = 'Paper-Umbrella-93-Lagoon';

test('a password is changed by the current one; wrong guesses are counted like those of a login', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const change = (currentPassword: string, newPassword: string) =>
    world.identity.changePassword(call, {
      tenant,
      target: { kind: 'user', userId: user.id, currentPassword },
      newPassword,
      client: {},
    });
  await assert.rejects(change(PASSWORD, PASSWORD), { reason: 'PASSWORD_REJECTED' });
  assert.deepEqual(await change(PASSWORD, OTHER_PASSWORD), { kind: 'changed', userId: user.id });
  assert.equal((await world.stored(user.id)).epoch, user.epoch, 'sessions go on unless asked otherwise');
  assert.equal((await world.login('ada@example.com', OTHER_PASSWORD)).kind, 'authenticated');
  for (let guess = 0; guess < 3; guess += 1) await change(PASSWORD, THIRD);
  const locked = await change(OTHER_PASSWORD, THIRD);
  assert.equal(locked.kind === 'rejection' && locked.reason, 'LOCKED');
});

test('a guess at the current password counts where a login counts: from many networks, in a row, and in the trail', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const change = (currentPassword: string, ip: string) =>
    world.identity.changePassword(call, {
      tenant,
      target: { kind: 'user', userId: user.id, currentPassword },
      newPassword: THIRD,
      client: { ip },
    });
  assert.equal((await world.login('ada@example.com', PASSWORD, { ip: '192.0.2.1' })).kind, 'authenticated');
  for (let guess = 0; guess < 20; guess += 1) {
    assert.deepEqual(await change(OTHER_PASSWORD, `198.51.100.${guess}`), {
      kind: 'rejection',
      reason: 'INVALID_CREDENTIALS',
    });
  }
  const reasonOf = (outcome: { readonly kind: string; readonly reason?: string }) => outcome.reason ?? outcome.kind;
  assert.equal(reasonOf(await change(PASSWORD, '198.51.100.99')), 'LOCKED');
  assert.equal(reasonOf(await world.login('ada@example.com', PASSWORD, { ip: '198.51.100.98' })), 'LOCKED');
  await world.audit.flush();
  const told = await world.store.auditTrail.list({ tenant, type: 'login.failed' }, undefined, 100);
  assert.equal(told.filter(({ subject }) => subject === `user:${user.id}`).length >= 21, true);
  for (let guess = 20; guess < 100; guess += 1) {
    world.clock.advance(3_600_000);
    await change(OTHER_PASSWORD, `203.0.113.${guess}`);
  }
  assert.equal((await world.stored(user.id)).password?.mustReset, true);
  world.clock.advance(25 * 3_600_000);
  assert.equal(reasonOf(await change(PASSWORD, '198.51.100.200')), 'INVALID_CREDENTIALS', 'only where it was right');
  assert.equal(reasonOf(await change(PASSWORD, '192.0.2.1')), 'changed');
});

test('of two changes at once from one password, on two replicas, one wins', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const target = { kind: 'user', userId: user.id, currentPassword: PASSWORD } as const;
  const results = await Promise.all(
    [world.identity, world.replica()].map((identity, index) =>
      identity.changePassword(call, { tenant, target, newPassword: [OTHER_PASSWORD, THIRD][index] ?? '', client: {} }),
    ),
  );
  assert.deepEqual(results.map(({ kind }) => kind).sort(), ['changed', 'rejection']);
});

test('changing a password can end all sessions but one', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const sessions = world.store.collection<{ epoch: number } & Awaited<ReturnType<World['sessions']>>[number]>(
    'sessions',
  );
  for (const id of ['kept', 'other']) {
    const subject = { type: 'user', id: user.id };
    await sessions.insert({ tenant, id, schema: 1, keys: [id], subject, epoch: user.epoch } as never);
  }
  const target = { kind: 'user', userId: user.id, currentPassword: PASSWORD, endSessions: { but: 'kept' } } as const;
  await world.identity.changePassword(call, { tenant, target, newPassword: OTHER_PASSWORD, client: {} });
  const { epoch } = await world.stored(user.id);
  assert.equal(epoch, user.epoch + 1);
  assert.equal((await sessions.get(tenant, 'kept'))?.epoch, epoch);
  assert.equal((await sessions.get(tenant, 'other'))?.epoch, user.epoch);
  assert.deepEqual(
    world.revoked.map((each) => each.kind === 'user' && each.epoch),
    [epoch],
  );
});

test('a password that must change gives a challenge; changing it carries the login on', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  await world.identity.setPassword(call, tenant, user.id, OTHER_PASSWORD, true);
  const login = await world.login('ada@example.com', OTHER_PASSWORD);
  assert.ok(login.kind === 'challenge');
  assert.deepEqual(login.steps, ['change_password']);
  const target = { kind: 'challenge', challengeToken: login.challengeToken } as const;
  const change = (newPassword: string) =>
    world.identity.changePassword(call, { tenant, target, newPassword, client: {} });
  await assert.rejects(change(OTHER_PASSWORD), /another one than before/);
  const [done, again] = [await change(THIRD), await change(PASSWORD)];
  assert.equal(done.kind, 'authenticated');
  assert.equal(again.kind === 'rejection' && again.reason, 'CHALLENGE_EXPIRED');
  assert.equal((await world.login('ada@example.com', THIRD)).kind, 'authenticated');
});

test('a reset token goes to the stored verified address, works once of 64 at once, and ends all sessions', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const unverified = await world.identity.requestPasswordReset(call, tenant, 'ada@example.com');
  assert.equal(unverified.address, '', 'an address that nobody has shown to be theirs gets no mail');
  const verification = await world.identity.requestVerification(call, tenant, user.id, 'ADA@example.com');
  assert.equal(verification.address, 'ada@example.com');
  const confirmed = await Promise.all(
    Array.from({ length: 64 }, () => world.identity.confirmVerification(call, tenant, verification.token)),
  );
  assert.equal(confirmed.filter(({ kind }) => kind === 'verified').length, 1);
  const first = await world.identity.requestPasswordReset(call, tenant, 'ada@example.com');
  const { address, token, expiresAt } = await world.identity.requestPasswordReset(call, tenant, 'ADA@EXAMPLE.COM');
  assert.deepEqual([address, expiresAt], ['ada@example.com', world.clock.now() + 15 * 60_000]);
  const reset = (presented: string, identity = world.identity) =>
    identity.resetPassword(call, { tenant, token: presented, newPassword: OTHER_PASSWORD });
  assert.equal((await reset(first.token)).kind, 'rejection', 'the new one replaced it');
  await assert.rejects(world.identity.resetPassword(call, { tenant, token, newPassword: 'weak' }), {
    reason: 'PASSWORD_REJECTED',
  });
  const other = world.replica();
  const { epoch } = await world.stored(user.id);
  const results = await Promise.all(
    Array.from({ length: 64 }, (_, at) => reset(token, at % 2 === 0 ? world.identity : other)),
  );
  assert.equal(results.filter(({ kind }) => kind === 'reset').length, 1);
  assert.equal((await world.stored(user.id)).epoch, epoch + 1);
  world.clock.advance(-3_600_000);
  assert.equal((await reset(token)).kind, 'rejection', 'a clock set back brings no spent token back');
  world.clock.advance(3_600_000);
  assert.deepEqual(tally([await world.login('ada@example.com', OTHER_PASSWORD)]), { authenticated: 1 });
});

test('a reset token is over after its time, with a new password, and when the account is disabled', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const { token: proof } = await world.identity.requestVerification(call, tenant, user.id, 'ada@example.com');
  await world.identity.confirmVerification(call, tenant, proof);
  const request = async () => (await world.identity.requestPasswordReset(call, tenant, 'ada@example.com')).token;
  const reset = (token: string) => world.identity.resetPassword(call, { tenant, token, newPassword: OTHER_PASSWORD });
  const late = await request();
  world.clock.advance(15 * 60_000);
  assert.equal((await reset(late)).kind, 'rejection');
  const before = await request();
  await world.identity.setPassword(call, tenant, user.id, THIRD, false);
  assert.equal((await reset(before)).kind, 'rejection');
  const pending = await request();
  await world.identity.updateUser(call, { tenant, userId: user.id, etag: '', disabled: true });
  assert.equal((await reset(pending)).kind, 'rejection');
  const none = await world.identity.requestPasswordReset(call, tenant, 'ada@example.com');
  assert.equal(none.address, '');
});

test('an unknown address gets an answer of the same shape, for as many writes, whose token opens nothing', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const { token: proof } = await world.identity.requestVerification(call, tenant, user.id, 'ada@example.com');
  await world.identity.confirmVerification(call, tenant, proof);
  const work: string[] = [];
  world.memory.before((name) => {
    work.push(name);
  });
  const known = await world.identity.requestPasswordReset(call, tenant, 'ada@example.com');
  const knownWork = work.splice(0);
  const unknown = await world.identity.requestPasswordReset(call, tenant, 'nobody@example.com');
  const asWrite = (names: readonly string[]) => names.map((name) => (name === 'insert' ? 'replace' : name));
  assert.deepEqual(asWrite(work), asWrite(knownWork));
  assert.deepEqual(Object.keys(unknown), Object.keys(known));
  assert.equal(unknown.token.length, known.token.length);
  const { token } = unknown;
  const opened = await world.identity.resetPassword(call, { tenant, token, newPassword: OTHER_PASSWORD });
  assert.equal(opened.kind, 'rejection');
});

test('a token of one purpose is none of another, and an address that left the account is not verified', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const { token } = await world.identity.requestVerification(call, tenant, user.id, 'ada@example.com');
  const asReset = token.replace('ev_', 'pr_');
  const opened = await world.identity.resetPassword(call, { tenant, token: asReset, newPassword: OTHER_PASSWORD });
  assert.equal(opened.kind, 'rejection');
  const identifiers = [{ kind: 'email', value: 'new@example.com', verified: false }] as const;
  await world.identity.updateUser(call, { tenant, userId: user.id, etag: '', identifiers });
  assert.equal((await world.identity.confirmVerification(call, tenant, token)).kind, 'rejection');
  await assert.rejects(world.identity.requestVerification(call, tenant, user.id, 'ada@example.com'), {
    reason: 'INVALID_ARGUMENT',
  });
});

test('a login that raced a reset ends nowhere', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const { token: proof } = await world.identity.requestVerification(call, tenant, user.id, 'ada@example.com');
  await world.identity.confirmVerification(call, tenant, proof);
  const { token } = await world.identity.requestPasswordReset(call, tenant, 'ada@example.com');
  const [login] = await Promise.all([
    world.login(),
    world.identity.resetPassword(call, { tenant, token, newPassword: OTHER_PASSWORD }),
  ]);
  const stored = await world.stored(user.id);
  assert.equal(stored.epoch, user.epoch + 1);
  if (login.kind !== 'authenticated') return;
  const proofs = await world.store
    .collection<{ epoch: number } & typeof stored>('challenges')
    .list(tenant, { limit: 9 });
  for (const { epoch } of proofs) assert.ok(epoch < stored.epoch, 'it carries the epoch that is refused');
});
