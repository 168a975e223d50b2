import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateUserInput, Identifier } from '../../../src/domain/identity/use-cases.ts';
import { call, callBy, memoryWorld, OTHER_PASSWORD, PASSWORD, sqliteWorld } from './identity-world.ts';

// Accounts: CreateUser, GetUser, SetPassword.

const ada: CreateUserInput = {
  tenant: 'default',
  identifiers: [
    { kind: 'email', value: 'Ada@Example.COM', verified: false },
    { kind: 'phone', value: '+44 20 7183 8750', verified: false },
    { kind: 'username', value: 'Ada', verified: false },
  ],
  password: PASSWORD,
  mustChangePassword: false,
  requestId: '',
};
const withId = { ...ada, requestId: '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11' };

test('a user is found by its id and by each identifier as a person would type it, in its tenant only', async () => {
  await using world = await sqliteWorld();
  const { identity, store } = world;
  const user = await identity.createUser(call, ada);
  assert.deepEqual(
    user.identifiers.map(({ value }) => value),
    ['Ada@example.com', '+442071838750', 'Ada'],
  );
  assert.ok(user.password?.hash.includes('$argon2id$') && !JSON.stringify(user).includes(PASSWORD));
  for (const identifier of ['ada@example.com', ' ADA@EXAMPLE.com ', '+44 (20) 7183-8750', 'aDA']) {
    const found = await identity.getUser(call, 'default', { kind: 'identifier', identifier });
    assert.equal(found.id, user.id, identifier);
  }
  const tenants = store.collection('tenants');
  const acme = { tenant: 'sallyport', id: 'acme', schema: 1, keys: ['acme'], status: 'active', settings: {} };
  await tenants.insert(acme);
  for (const selector of [
    { kind: 'id', userId: user.id },
    { kind: 'identifier', identifier: 'ada@example.com' },
  ] as const) {
    await assert.rejects(identity.getUser(call, 'acme', selector), { reason: 'USER_NOT_FOUND' });
    await assert.rejects(identity.getUser(call, 'nowhere', selector), { reason: 'TENANT_NOT_FOUND' });
  }
});

test('an identifier belongs to one user of a tenant, in any case, and the answer does not say whose', async () => {
  await using world = await sqliteWorld();
  const { identity } = world;
  const user = await identity.createUser(call, ada);
  const again = { ...ada, identifiers: [{ kind: 'username', value: 'ADA', verified: false } as const] };
  await assert.rejects(identity.createUser(call, again), (error: Error) => {
    assert.ok(!error.message.includes(user.id));
    assert.deepEqual((error as Error & { metadata: unknown }).metadata, { kind: 'username' });
    return true;
  });
});

test('of 64 users made at once with one identifier, on two replicas, one is made', async () => {
  await using world = await sqliteWorld();
  const replicas = [world.identity, world.replica()];
  const made = await Promise.allSettled(
    Array.from({ length: 64 }, (_, index) => (replicas[index % 2] ?? world.identity).createUser(call, ada)),
  );
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const one of made) if (one.status === 'rejected') assert.equal(one.reason.reason, 'IDENTIFIER_TAKEN');
});

test('64 parallel CreateUser with one request id make one user, and all get it', async () => {
  await using world = await sqliteWorld();
  const replicas = [world.identity, world.replica()];
  const made = await Promise.all(
    Array.from({ length: 64 }, (_, index) => (replicas[index % 2] ?? world.identity).createUser(call, withId)),
  );
  assert.equal(new Set(made.map(({ id, createdAt, epoch }) => `${id} ${createdAt} ${epoch}`)).size, 1);
});

test('a request id with another body, password or caller is another request', async () => {
  await using world = await sqliteWorld();
  const { identity } = world;
  const user = await identity.createUser(call, withId);
  assert.equal((await identity.createUser(call, withId)).id, user.id);
  const reused = { reason: 'REQUEST_ID_REUSED' };
  await assert.rejects(identity.createUser(call, { ...withId, displayName: 'Ada' }), reused);
  await assert.rejects(identity.createUser(call, { ...withId, password: OTHER_PASSWORD }), reused);
  await assert.rejects(identity.createUser(callBy('service:other'), withId), { reason: 'IDENTIFIER_TAKEN' });
  // Once the password was changed, the retry of the first request still finds its user.
  world.clock.advance(1000);
  await identity.setPassword(call, 'default', user.id, OTHER_PASSWORD, false);
  assert.equal((await identity.createUser(call, withId)).id, user.id);
});

test('what is wrong with a new user is told all at once, by field, and nothing is made', async () => {
  await using world = await memoryWorld();
  const bad: CreateUserInput = {
    ...ada,
    identifiers: [
      { kind: 'email', value: 'nobody', verified: false },
      { kind: 'phone', value: '0123', verified: true },
      { kind: 'username', value: 'a b', verified: false },
      { kind: 'username', value: 'x'.repeat(321), verified: false },
      { kind: 'username', value: 'twice', verified: false },
      { kind: 'username', value: 'TWICE', verified: false },
    ],
  };
  await assert.rejects(world.identity.createUser(call, bad), (error: Error) => {
    const { violations } = error as Error & { violations: readonly { field: string }[] };
    assert.deepEqual(
      violations.map(({ field }) => field),
      [
        'identifiers[0].value',
        'identifiers[1].verified',
        'identifiers[1].value',
        'identifiers[2].value',
        'identifiers[3].value',
        'identifiers[5]',
      ],
    );
    return true;
  });
  const name = (n: number): Identifier => ({ kind: 'username', value: `u${n}`, verified: false });
  for (const identifiers of [[], Array.from({ length: 11 }, (_, n) => name(n))]) {
    await assert.rejects(world.identity.createUser(call, { ...ada, identifiers }), { reason: 'INVALID_ARGUMENT' });
  }
  assert.deepEqual(await world.store.collection('users').list('default', { limit: 10 }), []);
});

test('a weak password is refused with all rules it breaks, without being echoed', async () => {
  await using world = await memoryWorld();
  await assert.rejects(world.identity.createUser(call, { ...ada, password: 'weak' }), (error: Error) => {
    const { reason, metadata } = error as Error & { reason: string; metadata: unknown };
    assert.equal(reason, 'PASSWORD_REJECTED');
    assert.deepEqual(metadata, { rules: 'min_length,upper_case,number,special,guessable' });
    assert.ok(!error.message.includes('weak'));
    return true;
  });
  for (const password of ['', `Aa1!${'x'.repeat(1021)}`, 'Aa1!\ud800xxxxxxxx']) {
    await assert.rejects(world.identity.createUser(call, { ...ada, password }), { reason: 'INVALID_ARGUMENT' });
  }
  const longest = `Correct-Horse-42-${'x'.repeat(1007)}`;
  const user = await world.identity.createUser(call, { ...ada, password: longest });
  assert.equal((await world.login('ada', longest)).kind, 'authenticated');
  assert.equal(user.status, 'active');
});

test('setting a password replaces the old one, bumps the epoch and revokes in the same write', async () => {
  await using world = await sqliteWorld();
  const { identity } = world;
  const user = await world.user();
  const changed = await identity.setPassword(call, 'default', user.id, OTHER_PASSWORD, false);
  assert.equal(changed.epoch, user.epoch + 1);
  assert.deepEqual(changed.outbox, []);
  assert.deepEqual(
    world.revoked.map((revocation) => revocation.kind === 'user' && [revocation.id, revocation.epoch]),
    [[user.id, 2]],
  );
  assert.deepEqual(await world.login(), { kind: 'rejection', reason: 'INVALID_CREDENTIALS' });
  assert.equal((await world.login('ada@example.com', OTHER_PASSWORD)).kind, 'authenticated');
  await assert.rejects(identity.setPassword(call, 'default', 'nobody', PASSWORD, false), { reason: 'USER_NOT_FOUND' });
  await assert.rejects(identity.setPassword(call, 'default', user.id, 'weak', false), { reason: 'PASSWORD_REJECTED' });
});

test('the revocation stays recorded in the user document when it cannot be performed now', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  let writes = 0;
  world.memory.before((name) => {
    // The first write is the swap; the next would clear the effect.
    if (name === 'replace') writes += 1;
    if (writes === 2) world.memory.outage(true);
  });
  await assert.rejects(world.identity.setPassword(call, 'default', user.id, OTHER_PASSWORD, false), {
    code: 'UNAVAILABLE',
  });
  world.memory.before(undefined);
  world.memory.outage(false);
  const left = await world.stored(user.id);
  assert.deepEqual(
    left.outbox?.map(({ kind }) => kind),
    ['revoke', 'audit'],
  );
  assert.equal(left.epoch, 2);
});
