import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_CONSECUTIVE } from '../../../src/domain/identity/login-guard.ts';
import type { LoginOutcome } from '../../../src/domain/identity/use-cases.ts';
import { call, memoryWorld, PASSWORD, type World } from './identity-world.ts';

const HOME = { ip: '192.0.2.1' };
const WRONG = 'Not-The-Password-1';
const HOUR = 3_600_000;

/** A botnet: each guess from a network of its own. */
function bot(index: number) {
  return { ip: `198.51.${Math.floor(index / 250)}.${index % 250}` };
}

function reason(outcome: LoginOutcome): string {
  return outcome.kind === 'rejection' ? outcome.reason : outcome.kind;
}

async function guesses(world: World, from: number, to: number): Promise<readonly string[]> {
  const told: string[] = [];
  for (let index = from; index < to; index += 1) {
    told.push(reason(await world.login('ada@example.com', WRONG, bot(index))));
  }
  return told;
}

test('many networks lock the identifier for strangers, but not for its owner where she logged in before', async () => {
  await using world = await memoryWorld();
  await world.user();
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, HOME)), 'authenticated');
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, { deviceId: 'phone-1' })), 'authenticated');
  const told = await guesses(world, 0, 25);
  assert.deepEqual(told.slice(0, 20), Array(20).fill('INVALID_CREDENTIALS'));
  assert.deepEqual(told.slice(20), Array(5).fill('LOCKED'));
  assert.equal(
    reason(await world.login('ada@example.com', PASSWORD, bot(900))),
    'LOCKED',
    'a stranger with the password',
  );
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, HOME)), 'authenticated');
  const elsewhere = { ...bot(901), deviceId: 'phone-1' };
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, elsewhere)), 'authenticated', 'her device');
});

test('one network that guesses at many accounts is locked, and no other', async () => {
  await using world = await memoryWorld();
  await world.user();
  const client = { ip: '203.0.113.9' };
  for (let index = 0; index < 100; index += 1) {
    assert.equal(reason(await world.login(`u${index}@example.com`, WRONG, client)), 'INVALID_CREDENTIALS');
  }
  assert.equal(reason(await world.login('u100@example.com', WRONG, client)), 'LOCKED');
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, client)), 'LOCKED');
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, HOME)), 'authenticated');
});

test('after 100 wrong passwords in a row it opens nothing for strangers, and must be changed where its owner is known', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  await world.login('ada@example.com', PASSWORD, HOME);
  for (let index = 0; index < MAX_CONSECUTIVE; index += 1) {
    // Each lock of the identifier has passed, and the failures are not forgotten yet.
    world.clock.advance(HOUR + 1);
    assert.equal(reason(await world.login('ada@example.com', WRONG, bot(index))), 'INVALID_CREDENTIALS', String(index));
  }
  assert.equal((await world.stored(user.id)).password?.mustReset, true);
  world.clock.advance(HOUR + 1);
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, bot(500))), 'INVALID_CREDENTIALS');
  const home = await world.login('ada@example.com', PASSWORD, HOME);
  assert.ok(home.kind === 'challenge');
  assert.deepEqual(home.steps, ['change_password']);
  await world.audit.flush();
  const events = await world.store.auditTrail.list({ tenant: 'default', type: 'password.must_be_reset' }, undefined, 9);
  assert.equal(events.length, 1);
  await world.identity.setPassword(call, 'default', user.id, 'Battery-Staple-77', false);
  assert.equal(reason(await world.login('ada@example.com', 'Battery-Staple-77', bot(501))), 'authenticated');
});

test('a success in between begins the count of 100 anew', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  for (let index = 0; index < MAX_CONSECUTIVE + 10; index += 1) {
    world.clock.advance(HOUR + 1);
    if (index === 50) assert.equal(reason(await world.login('ada@example.com', PASSWORD, HOME)), 'authenticated');
    await world.login('ada@example.com', WRONG, bot(index));
  }
  assert.equal((await world.stored(user.id)).password?.mustReset, undefined);
});

test('unlocking a user ends the locks of its identifiers at every network, and its failed codes', async () => {
  await using world = await memoryWorld();
  const { user, code } = await world.userWithTotp();
  for (let index = 0; index < 3; index += 1) await world.login('ada@example.com', WRONG, HOME);
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, HOME)), 'LOCKED');
  const target = { kind: 'user', userId: user.id } as const;
  const wrongCode = { tenant: 'default', target, code: { kind: 'totp', value: '000000' }, client: HOME } as const;
  for (let index = 0; index < 5; index += 1) await world.identity.verifyTotp(call, wrongCode);
  assert.equal(reason(await world.identity.verifyTotp(call, wrongCode)), 'LOCKED');
  await world.identity.unlockUser(call, 'default', user.id);
  await world.identity.unlockUser(call, 'default', user.id);
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, HOME)), 'challenge');
  const right = { ...wrongCode, code: { kind: 'totp', value: code() } } as const;
  assert.equal(reason(await world.identity.verifyTotp(call, right)), 'authenticated');
  await assert.rejects(world.identity.unlockUser(call, 'default', 'nobody'), { reason: 'USER_NOT_FOUND' });
});

test('failures are forgotten after a day without any', async () => {
  await using world = await memoryWorld();
  await world.user();
  await guesses(world, 0, 19);
  world.clock.advance(24 * HOUR + 1);
  assert.deepEqual(await guesses(world, 19, 38), Array(19).fill('INVALID_CREDENTIALS'));
});

test('guesses at one identifier lock the others of the account too, which nobody can see who does not know it', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const identifiers = [
    { kind: 'email', value: 'ada@example.com', verified: false },
    { kind: 'username', value: 'ada', verified: false },
  ] as const;
  await world.identity.updateUser(call, { tenant: 'default', userId: user.id, etag: '', identifiers });
  assert.equal(reason(await world.login('ada', PASSWORD, HOME)), 'authenticated');
  await guesses(world, 0, 20);
  assert.equal(reason(await world.login('ada@example.com', PASSWORD, bot(500))), 'LOCKED');
  for (const identifier of ['ada', 'nobody']) {
    const told = await world.login(identifier, PASSWORD, bot(501));
    assert.deepEqual(told, { kind: 'rejection', reason: 'INVALID_CREDENTIALS' }, identifier);
  }
  const home = ['ada', 'ada@example.com'].map((identifier) => world.login(identifier, PASSWORD, HOME));
  assert.deepEqual((await Promise.all(home)).map(reason), ['authenticated', 'authenticated'], 'where she is known');
  await world.audit.flush();
  const failed = await world.store.auditTrail.list({ tenant: 'default', type: 'login.failed' }, undefined, 100);
  const nobodys = failed.filter(({ subject }) => subject === undefined).map(({ details }) => details['reason']);
  assert.deepEqual(nobodys, ['INVALID_CREDENTIALS']);
  const locked = failed.filter(({ details }) => details['reason'] === 'LOCKED').map(({ subject }) => subject);
  assert.deepEqual(locked, [`user:${user.id}`, `user:${user.id}`], 'the audit trail knows');
  world.clock.advance(5 * 60_000);
  assert.equal(reason(await world.login('ada', PASSWORD, bot(502))), 'authenticated', 'the lock has passed');
});

test('guesses at the current password of ChangePassword lock every identifier of the account, and unlocking ends it', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const identifiers = [
    { kind: 'email', value: 'ada@example.com', verified: false },
    { kind: 'username', value: 'ada', verified: false },
  ] as const;
  await world.identity.updateUser(call, { tenant: 'default', userId: user.id, etag: '', identifiers });
  const change = (currentPassword: string, client: object) =>
    world.identity.changePassword(call, {
      tenant: 'default',
      target: { kind: 'user', userId: user.id, currentPassword },
      newPassword: 'Battery-Staple-77',
      client,
    });
  for (let index = 0; index < 10; index += 1) {
    assert.equal(reason((await change(WRONG, bot(index))) as LoginOutcome), 'INVALID_CREDENTIALS');
    assert.equal(reason(await world.login('ada', WRONG, bot(index))), 'INVALID_CREDENTIALS');
  }
  assert.equal(reason(await world.login('ada', PASSWORD, bot(500))), 'INVALID_CREDENTIALS', 'locked, and not told');
  assert.equal(reason((await change(PASSWORD, bot(501))) as LoginOutcome), 'LOCKED', 'its caller knows the account');
  await world.identity.unlockUser(call, 'default', user.id);
  assert.equal(reason(await world.login('ada', PASSWORD, bot(502))), 'authenticated');
});
