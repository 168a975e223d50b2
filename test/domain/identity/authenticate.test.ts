import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PasswordHasher } from '../../../src/crypto/password-hasher.ts';
import { createIdentity } from '../../../src/domain/identity/create-identity.ts';
import { spendProof } from '../../../src/domain/identity/proof.ts';
import type { UserDocument } from '../../../src/domain/identity/use-cases.ts';
import { Fault } from '../../../src/platform/faults.ts';
import {
  call,
  callBy,
  issueTokens,
  memoryWorld,
  OTHER_PASSWORD,
  PASSWORD,
  sqliteWorld,
  tally,
  type World,
} from './identity-world.ts';

const wrong = { kind: 'rejection', reason: 'INVALID_CREDENTIALS' };
const MINUTE = 60_000;

/** The world's hasher, counting its work and doing `during` while it verifies. */
function watched(world: World, during: () => Promise<void> = async () => {}) {
  const { hasher } = world.ports;
  const seen = { verify: 0, decoy: 0 };
  const watching: PasswordHasher = {
    ...hasher,
    waiting: 0,
    pid: undefined,
    verify: async (hash, password, signal) => {
      seen.verify += 1;
      const match = await hasher.verify(hash, password, signal);
      await during();
      return match;
    },
    decoy: async (password, signal) => {
      seen.decoy += 1;
      await hasher.decoy(password, signal);
    },
  };
  return { seen, identity: createIdentity({ ...world.ports, hasher: watching }) };
}

async function setStatus(world: World, userId: string, status: UserDocument['status']): Promise<void> {
  const users = world.store.collection<UserDocument>('users');
  const user = await world.stored(userId);
  const draft = { ...user, status, epoch: user.epoch + 1 };
  assert.equal((await users.replace(draft, user.version)).kind, 'replaced');
}

test('a login gives an authentication token that becomes one session, once', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const login = await world.login(' ADA@example.com');
  assert.ok(login.kind === 'authenticated' && login.userId === user.id);
  assert.match(login.authenticationToken, /^at_[A-Za-z0-9_-]{64}$/);
  assert.equal(login.expiresAt, world.clock.now() + MINUTE);
  assert.deepEqual(login.methods, [{ method: 'password', at: world.clock.now() }]);
  const stored = JSON.stringify(await world.store.collection('challenges').list('default', { limit: 10 }));
  assert.ok(!stored.includes(login.authenticationToken.slice(3)), 'only a digest is stored');

  const spend = (caller = 'service:app', token = login.authenticationToken) =>
    spendProof(world.ports, callBy(caller), 'default', token);
  const other = login.authenticationToken.endsWith('-') ? 'A' : '-';
  assert.equal(await spend('service:app', login.authenticationToken.slice(0, -1) + other), 'PROOF_INVALID');
  assert.equal(await spendProof(world.ports, call, 'sallyport', login.authenticationToken), 'PROOF_INVALID');
  const first = await spend();
  assert.ok(first !== 'PROOF_INVALID');
  assert.deepEqual(first.subject, { type: 'user', id: user.id });
  assert.deepEqual(await spend(), first, 'a repeat by the same caller');
  assert.equal(await spend('service:other'), 'PROOF_INVALID');
  world.clock.advance(9_999);
  assert.deepEqual(await spend(), first);
  world.clock.advance(1);
  assert.equal(await spend(), 'PROOF_INVALID', 'ten seconds later');
});

test('64 uses of one authentication token at once, by two callers on two replicas, give one session to one caller', async () => {
  await using world = await sqliteWorld();
  await world.user();
  const login = await world.login();
  assert.ok(login.kind === 'authenticated');
  const spent = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      spendProof(world.ports, callBy(`service:${index % 2}`), 'default', login.authenticationToken),
    ),
  );
  const sessions = new Set(spent.map((one) => (one === 'PROOF_INVALID' ? one : one.sessionId)));
  assert.equal(sessions.size, 2, 'one session, and PROOF_INVALID for the other caller');
  assert.equal(spent.filter((one) => one === 'PROOF_INVALID').length, 32);
});

test('an authentication token is over after a minute, and when its user was disabled or got a new password', async () => {
  await using world = await sqliteWorld();
  const user = await world.user();
  const token = async (password = PASSWORD): Promise<string> => {
    const login = await world.login('ada@example.com', password);
    return login.kind === 'authenticated' ? login.authenticationToken : '';
  };
  const spend = (presented: string) => spendProof(world.ports, call, 'default', presented);
  const late = await token();
  world.clock.advance(MINUTE);
  assert.equal(await spend(late), 'PROOF_INVALID');
  const beforeReset = await token();
  await world.identity.setPassword(call, 'default', user.id, OTHER_PASSWORD, false);
  assert.equal(await spend(beforeReset), 'PROOF_INVALID');
  const beforeDisable = await token(OTHER_PASSWORD);
  await setStatus(world, user.id, 'disabled');
  assert.equal(await spend(beforeDisable), 'PROOF_INVALID');
});

test('with `issue` the login ends in a session and no authentication token', async () => {
  await using world = await memoryWorld();
  await world.user();
  const input = {
    tenant: 'default',
    identifier: 'ada@example.com',
    password: PASSWORD,
    client: {},
    issue: issueTokens,
  };
  const login = await world.identity.authenticate(call, input);
  assert.ok(login.kind === 'authenticated' && login.issued?.kind === 'tokens');
  assert.equal(login.authenticationToken, '');
  assert.equal((await world.sessions()).length, 1);
});

test('unknown user, user without password, wrong password and disabled account: the same answer for the same work', async () => {
  await using world = await memoryWorld();
  const { identity, seen } = watched(world);
  const disabled = await world.user('disabled@example.com');
  await setStatus(world, disabled.id, 'disabled');
  await world.user('ada@example.com');
  const bare = { kind: 'username', value: 'bare', verified: false } as const;
  const nobody = { tenant: 'default', identifiers: [bare], mustChangePassword: false, requestId: '' };
  await world.identity.createUser(call, nobody);
  const calls: string[][] = [];
  for (const identifier of [
    'nobody@example.com',
    'bare',
    'ada@example.com',
    'disabled@example.com',
    'not an identifier',
  ]) {
    const password = identifier.startsWith('disabled') ? PASSWORD : OTHER_PASSWORD;
    const made: string[] = [];
    world.memory.before((name) => {
      made.push(name);
    });
    assert.deepEqual(await identity.authenticate(call, { tenant: 'default', identifier, password, client: {} }), wrong);
    world.memory.before(undefined);
    calls.push(made);
  }
  assert.deepEqual(seen, { verify: 2, decoy: 3 });
  for (const made of calls) assert.deepEqual(made, calls[0], 'the same store calls');
});

test('nobody logs in to tenant sallyport, nor to one that is not there', async () => {
  await using world = await memoryWorld();
  const input = { identifier: 'ada', password: PASSWORD, client: {} };
  await assert.rejects(world.identity.authenticate(call, { ...input, tenant: 'sallyport' }), {
    reason: 'RESERVED_TENANT',
  });
  await assert.rejects(world.identity.authenticate(call, { ...input, tenant: 'nowhere' }), {
    reason: 'TENANT_NOT_FOUND',
  });
});

test('a login that a reset, a disable or a factor overtakes while it is hashed does not get in, and is not counted', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const { password } = await world.stored(user.id);
  const overtaking = [
    () => world.identity.setPassword(call, 'default', user.id, PASSWORD, false),
    () => setStatus(world, user.id, 'disabled'),
    async () => {
      await setStatus(world, user.id, 'active');
    },
  ];
  assert.ok(password);
  for (const overtake of overtaking) {
    await setStatus(world, user.id, 'active');
    const { identity } = watched(world, async () => {
      await overtake();
    });
    const input = { tenant: 'default', identifier: 'ada@example.com', password: PASSWORD, client: {} };
    assert.deepEqual(await identity.authenticate(call, input), wrong);
  }
  await setStatus(world, user.id, 'active');
  assert.equal((await world.login()).kind, 'authenticated', 'three rejections, none of them a wrong password');
});

test('a login that finds all places in the queue taken is OVERLOADED before it reads or counts anything', async () => {
  await using world = await memoryWorld();
  await world.user();
  const places: (() => void)[] = [];
  const takeAll = (): void => {
    for (;;) places.push(world.ports.hasher.reserve());
  };
  assert.throws(takeAll, (error) => error instanceof Fault && error.code === 'OVERLOADED');
  const made: string[] = [];
  world.memory.before((name) => {
    made.push(name);
  });
  await assert.rejects(world.login(), (error) => {
    assert.ok(error instanceof Fault && error.code === 'OVERLOADED' && (error.retryAfterMs ?? 0) > 0);
    return true;
  });
  assert.deepEqual(made, []);
  for (const leave of places) leave();
  assert.equal((await world.login()).kind, 'authenticated');
});

test('200 wrong passwords at once, on two replicas, cost no more hashes than the lockout allows', async () => {
  await using world = await sqliteWorld();
  await world.user();
  const { identity, seen } = watched(world);
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, () =>
      identity.authenticate(call, {
        tenant: 'default',
        identifier: 'ada@example.com',
        password: OTHER_PASSWORD,
        client: { ip: '192.0.2.1' },
      }),
    ),
  );
  assert.ok(seen.verify <= 3, String(seen.verify));
  assert.equal(tally(outcomes)['INVALID_CREDENTIALS'], seen.verify);
});

test('from the third wrong password the lock is 1, 5, 15, then 60 minutes; a success forgets', async () => {
  await using world = await sqliteWorld();
  await world.user();
  const client = { ip: '192.0.2.1' };
  const fail = () => world.login('ada@example.com', OTHER_PASSWORD, client);
  assert.deepEqual([await fail(), await fail(), await fail()], [wrong, wrong, wrong]);
  for (const minutes of [1, 5, 15, 60, 60]) {
    const locked = { kind: 'rejection', reason: 'LOCKED', retryAfterMs: minutes * MINUTE };
    assert.deepEqual(await world.login('ada@example.com', PASSWORD, client), locked, 'even the right password');
    world.clock.advance(minutes * MINUTE - 5_000);
    const almost = await world.login('ada@example.com', PASSWORD, client);
    assert.deepEqual(almost, { ...locked, retryAfterMs: 5_000 });
    world.clock.advance(5_000);
    assert.deepEqual(await fail(), wrong);
  }
  assert.equal((await world.login('ada@example.com', PASSWORD, { ip: '192.0.2.2' })).kind, 'authenticated');
  world.clock.advance(60 * MINUTE);
  assert.equal((await world.login('ada@example.com', PASSWORD, client)).kind, 'authenticated');
  assert.deepEqual([await fail(), await fail()], [wrong, wrong]);
  assert.equal((await world.login('ada@example.com', PASSWORD, client)).kind, 'authenticated');
});

test('accounts that do not exist are locked like those that do', async () => {
  await using world = await memoryWorld();
  for (const expected of ['INVALID_CREDENTIALS', 'INVALID_CREDENTIALS', 'INVALID_CREDENTIALS', 'LOCKED']) {
    const outcome = await world.login('nobody', PASSWORD, { ip: '2001:db8::1' });
    assert.ok(outcome.kind === 'rejection' && outcome.reason === expected);
  }
  const neighbour = await world.login('NOBODY', PASSWORD, { ip: '2001:0db8:0:0:ffff::2' });
  assert.ok(neighbour.kind === 'rejection' && neighbour.reason === 'LOCKED', 'the same /64, the same name');
  assert.deepEqual(await world.login('nobody', PASSWORD, { ip: '2001:db8:0:1::1' }), wrong);
  assert.deepEqual(await world.login('nobody', PASSWORD), wrong, 'without an address only the identifier counts');
});

test('overload and cancellation count as no failure and give the reservation back', async () => {
  await using world = await memoryWorld();
  await world.user();
  const overloaded: PasswordHasher = {
    ...world.ports.hasher,
    waiting: 0,
    pid: undefined,
    verify: () => Promise.reject(new Fault('OVERLOADED', 'full', { retryAfterMs: 100 })),
  };
  const busy = createIdentity({ ...world.ports, hasher: overloaded });
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const input = { tenant: 'default', identifier: 'ada@example.com', password: PASSWORD, client: {} };
    await assert.rejects(busy.authenticate(call, input), { code: 'OVERLOADED' });
    const caller = new AbortController();
    const { identity } = watched(world, async () => {
      caller.abort(new Fault('CANCELLED', 'gone'));
      caller.signal.throwIfAborted();
    });
    await assert.rejects(identity.authenticate(callBy('service:app', caller.signal), input), { code: 'CANCELLED' });
  }
  assert.equal((await world.login()).kind, 'authenticated');
});

test('while the store does not answer, a login is UNAVAILABLE and no account is touched', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  await world.login();
  world.memory.outage(true);
  for (let attempt = 0; attempt < 5; attempt += 1) await assert.rejects(world.login(), { code: 'UNAVAILABLE' });
  world.memory.outage(false);
  assert.equal((await world.login()).kind, 'authenticated');
  assert.equal((await world.stored(user.id)).version, user.version);
});

test('a wrong password that cannot be counted is not answered', async () => {
  await using world = await memoryWorld();
  await world.user();
  const { identity } = watched(world, async () => {
    world.memory.outage(true);
  });
  const input = { tenant: 'default', identifier: 'ada@example.com', password: OTHER_PASSWORD, client: {} };
  await assert.rejects(identity.authenticate(call, input), { code: 'UNAVAILABLE' });
});
