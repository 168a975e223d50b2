import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFederation } from '../../../src/domain/federation/create-federation.ts';
import { limits } from '../../../src/domain/limits.ts';
import { call, PASSWORD, tally, type World } from '../identity/identity-world.ts';
import { failureOf, federationWorld, tenant, userOf } from './federation-world.ts';

const ada = { sub: 'ada-1', email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace' };

/** A user of the tenant who has shown that the address is theirs, or not. */
async function userWith(world: World, email: string, verified: boolean): Promise<string> {
  const user = await world.user(email);
  const users = world.store.collection<typeof user>('users');
  const identifiers = [{ kind: 'email', value: email, verified }] as const;
  const stored = await world.stored(user.id);
  await users.replace({ ...stored, identifiers }, stored.version);
  return user.id;
}

test('the first login makes an account with the verified address and the name, the second finds it', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const first = userOf(await fed.login(id, ada));
  assert.equal(userOf(await fed.login(id, { ...ada, email: 'other@example.com' })), first);
  const [user, ...others] = await fed.users();
  assert.deepEqual(others, []);
  assert.deepEqual(user?.identifiers, [{ kind: 'email', value: 'ada@example.com', verified: true }]);
  assert.equal(user?.displayName, 'Ada Lovelace');
  assert.deepEqual(
    user?.links?.map(({ issuer, subject }) => [issuer, subject]),
    [[fed.provider.issuer, 'ada-1']],
  );
  assert.equal(user?.password, undefined);
  assert.deepEqual(await fed.told(), ['login.succeeded', 'login.succeeded', 'provider.created', 'user.created']);
});

test('what only the userinfo endpoint says counts as well', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  await fed.login(id, { ...ada, userinfoOnly: true });
  assert.equal((await fed.users())[0]?.identifiers[0]?.value, 'ada@example.com');
});

test('without sign-up nobody gets an account', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register({ allowSignUp: false });
  assert.equal(failureOf(await fed.login(id, ada)), 'NO_ACCOUNT');
  assert.deepEqual(await fed.users(), []);
  assert.ok((await fed.told()).includes('login.failed NO_ACCOUNT no account, and no sign-up'));
});

test('sixteen first logins of one person at once, on two replicas, make one account', async () => {
  await using fed = await federationWorld('sqlite');
  const { id } = await fed.register();
  const replicas = [fed.federation, fed.replica()];
  const begun = await Promise.all(Array.from({ length: 16 }, () => fed.begin(id, ada)));
  const outcomes = await Promise.all(begun.map((each, index) => replicas[index % 2]?.finishLogin(call, each)));
  const ids = new Set(outcomes.map((outcome) => (outcome === undefined ? assert.fail() : userOf(outcome))));
  assert.equal(ids.size, 1);
  assert.equal((await fed.users()).length, 1);
});

test('an account is linked where both sides have verified the address and the tenant wants it', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register({ allowSignUp: false });
  const userId = await userWith(fed.world, 'Ada@example.com', true);
  await fed.settings({ linkByVerifiedEmail: true });
  assert.equal(userOf(await fed.login(id, ada)), userId);
  assert.equal(userOf(await fed.login(id, { sub: 'ada-1' })), userId, 'from then on by issuer and subject');
  assert.equal((await fed.world.stored(userId)).epoch, 1, 'a further way in ends no session');
  assert.ok((await fed.told()).includes('user.linked'));
});

test('an account is not linked where one of the four conditions is missing', async () => {
  const cases = [
    { name: 'the account has not verified the address', verified: false },
    { name: 'the provider has not', person: { ...ada, email_verified: false } },
    { name: 'the provider says so by a text', person: { ...ada, email_verified: 'true' } },
    { name: 'the tenant does not want it', settings: { linkByVerifiedEmail: false } },
    { name: 'the provider is not believed', provider: { linkByVerifiedEmail: false } },
  ];
  for (const { name, verified = true, person = ada, settings = { linkByVerifiedEmail: true }, provider } of cases) {
    await using fed = await federationWorld();
    const { id } = await fed.register(provider);
    const userId = await userWith(fed.world, 'ada@example.com', verified);
    await fed.settings(settings);
    const other = userOf(await fed.login(id, person));
    assert.notEqual(other, userId, name);
    assert.equal((await fed.world.stored(userId)).links, undefined, name);
    assert.deepEqual((await fed.world.stored(other)).identifiers, [], `${name}: an account of its own, without it`);
  }
});

test('a disabled account is logged in to by nobody, linked by nothing, and not replaced by a new one', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  await fed.settings({ linkByVerifiedEmail: true });
  const linked = userOf(await fed.login(id, ada));
  await fed.world.identity.updateUser(call, { tenant, userId: linked, etag: '', disabled: true });
  assert.equal(failureOf(await fed.login(id, ada)), 'NO_ACCOUNT');
  assert.equal(failureOf(await fed.login(id, { ...ada, sub: 'ada-2' })), 'NO_ACCOUNT', 'by the address alone');
  assert.equal((await fed.users()).length, 1);
  assert.ok((await fed.told()).includes('login.failed NO_ACCOUNT account disabled'));
});

test('a disable that wins the race with the linking ends it', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register({ allowSignUp: false });
  const userId = await userWith(fed.world, 'ada@example.com', true);
  await fed.settings({ linkByVerifiedEmail: true });
  const { updates } = fed.ports;
  const late: typeof updates = {
    // Whoever links has found the account active, and is about to write.
    update: async (...change) => {
      await fed.world.identity.updateUser(call, { tenant, userId, etag: '', disabled: true });
      return await updates.update(...change);
    },
  };
  const outcome = await createFederation({ ...fed.ports, updates: late }).finishLogin(call, await fed.begin(id, ada));
  assert.equal(failureOf(outcome), 'NO_ACCOUNT');
  assert.equal((await fed.world.stored(userId)).links, undefined);
});

test('an account has at most ten links', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register({ allowSignUp: false });
  const userId = await userWith(fed.world, 'ada@example.com', true);
  await fed.settings({ linkByVerifiedEmail: true });
  for (let index = 0; index < limits.linksPerUser; index += 1) {
    assert.equal(userOf(await fed.login(id, { ...ada, sub: `ada-${index}` })), userId);
  }
  assert.equal(failureOf(await fed.login(id, { ...ada, sub: 'one-more' })), 'NO_ACCOUNT');
});

test('a second factor is asked for after the provider, and then the login is finished', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  await fed.settings({ linkByVerifiedEmail: true });
  const { user, code } = await fed.world.userWithTotp();
  const users = fed.world.store.collection<typeof user>('users');
  const stored = await fed.world.stored(user.id);
  await users.replace(
    { ...stored, identifiers: [{ ...stored.identifiers[0], verified: true }] } as typeof stored,
    stored.version,
  );
  const outcome = await fed.login(id, ada);
  assert.ok(outcome.kind === 'challenge');
  assert.deepEqual(outcome.steps, ['totp', 'recovery_code']);
  const done = await fed.world.identity.verifyTotp(call, {
    tenant,
    target: { kind: 'challenge', challengeToken: outcome.challengeToken },
    code: { kind: 'totp', value: code() },
    client: {},
  });
  assert.ok(done.kind === 'authenticated');
  assert.deepEqual(
    done.methods.map(({ method }) => method),
    ['federated', 'totp'],
  );
});

test('a tenant that asks everybody for a factor gets an enrollment, and a password to be changed is not asked for', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const userId = userOf(await fed.login(id, ada));
  await fed.world.identity.setPassword(call, tenant, userId, PASSWORD, true);
  assert.equal(userOf(await fed.login(id, ada)), userId);
  await fed.settings({ factorPolicy: { requirement: 'required', roles: [] } });
  const outcome = await fed.login(id, ada);
  assert.deepEqual(outcome.kind === 'challenge' && outcome.steps, ['enroll_totp']);
});

test('a link that is taken away ends what the user carries, and the person is a stranger again', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const link = { issuer: fed.provider.issuer, subject: 'ada-1' };
  const userId = userOf(await fed.login(id, { sub: 'ada-1' }));
  const { identity } = fed.world;
  await assert.rejects(identity.removeLink(call, tenant, userId, { ...link, subject: 'x' }), {
    reason: 'USER_NOT_FOUND',
  });
  const user = await identity.removeLink(call, tenant, userId, link);
  assert.deepEqual([user.links, user.epoch, user.keys], [[], 2, [userId]]);
  assert.notEqual(userOf(await fed.login(id, { sub: 'ada-1' })), userId);
});

test('who was erased is a stranger to the provider that vouched', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const userId = userOf(await fed.login(id, ada));
  await fed.world.identity.deleteUser(call, tenant, userId, '');
  assert.equal(JSON.stringify(await fed.world.stored(userId)).includes('ada'), false);
  assert.notEqual(userOf(await fed.login(id, ada)), userId);
});

test('an account without a password answers password calls like any other', async () => {
  await using fed = await federationWorld();
  const { id } = await fed.register();
  const userId = userOf(await fed.login(id, ada));
  const tries = [await fed.world.login(), await fed.world.login('nobody@example.com')];
  assert.deepEqual(tally(tries), { INVALID_CREDENTIALS: 2 });
  const changed = await fed.world.identity.changePassword(call, {
    tenant,
    target: { kind: 'user', userId, currentPassword: PASSWORD },
    newPassword: 'Battery-Staple-77',
    client: {},
  });
  assert.ok(changed.kind === 'rejection' && changed.reason === 'INVALID_CREDENTIALS');
  const mail = await fed.world.identity.requestPasswordReset(call, tenant, 'ada@example.com');
  assert.match(mail.token, /^pr_/);
});
