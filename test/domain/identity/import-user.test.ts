import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash as bcrypt } from 'bcrypt';
import { createPasswordHasher } from '../../../src/crypto/password-hasher.ts';
import { createIdentity } from '../../../src/domain/identity/create-identity.ts';
import type { ImportedRow } from '../../../src/domain/identity/use-cases.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { eventually } from '../../support/eventually.ts';
import { callBy, memoryWorld, PASSWORD, ring, sqliteWorld } from './identity-world.ts';

const call = callBy();
const tenant = 'default';

const row = (more: Partial<ImportedRow> = {}): ImportedRow => ({
  rowKey: 'users/1815',
  identifiers: [{ kind: 'email', value: 'ada@example.com', verified: true }],
  mustChangePassword: false,
  disabled: false,
  ...more,
});

test('a row makes one account however often it is sent, over two replicas at once', async () => {
  await using world = await sqliteWorld();
  const other = world.replica();
  const made = await Promise.all(
    Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? world.identity : other).importUser(call, tenant, row())),
  );
  assert.equal(new Set(made.map(({ userId }) => userId)).size, 1);
  assert.equal(made.filter(({ already }) => !already).length, 1);
  const changed = row({ displayName: 'Ada' });
  await assert.rejects(world.identity.importUser(call, tenant, changed), { reason: 'REQUEST_ID_REUSED' });
  const clash = row({ rowKey: 'users/1816' });
  await assert.rejects(world.identity.importUser(call, tenant, clash), { reason: 'IDENTIFIER_TAKEN' });
  const costly = row({ rowKey: 'users/1817', passwordHash: `$2b$31$${'a'.repeat(53)}` });
  await assert.rejects(world.identity.importUser(call, tenant, costly), /password_hash/);
});

test('a row whose account was deleted is refused however late it comes again, and so is a request id', async () => {
  await using world = await memoryWorld();
  const gone = new Set<string>();
  const identity = createIdentity({ ...world.ports, isGone: async (_tenant, id) => gone.has(id) });
  const username = (value: string) => ({ kind: 'username', value, verified: false }) as const;
  const create = (requestId: string) =>
    identity.createUser(call, { tenant, identifiers: [username(requestId)], mustChangePassword: false, requestId });
  const { userId } = await identity.importUser(call, tenant, row());
  const requestId = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';
  const { id } = await create(requestId);
  for (const each of [userId, id]) {
    gone.add(each);
    await world.store.collection('users').remove(tenant, each);
  }
  const reused = { reason: 'REQUEST_ID_REUSED', message: /deleted/ };
  await assert.rejects(identity.importUser(call, tenant, row()), reused);
  await assert.rejects(create(requestId), reused);
  assert.notEqual((await create('8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c12')).id, id);
});

test('an imported hash logs its user in, and the first login replaces it behind the answer', async () => {
  await using world = await memoryWorld();
  const long = `${PASSWORD}${'x'.repeat(72 - PASSWORD.length)}`;
  const passwordHash = await bcrypt(long, 4);
  const { userId } = await world.identity.importUser(call, tenant, row({ passwordHash }));
  assert.equal((await world.login('ada@example.com', 'wrong')).kind, 'rejection');
  assert.equal((await world.stored(userId)).password?.hash, passwordHash, 'a wrong password upgrades nothing');
  const typed = `${long}and more`;
  assert.equal((await world.login('ada@example.com', typed)).kind, 'authenticated');
  const upgraded = await eventually('the hash is made anew', async () => {
    const { password, epoch } = await world.stored(userId);
    return password?.hash === passwordHash ? undefined : { hash: password?.hash, epoch };
  });
  assert.match(upgraded.hash ?? '', /^.{8}\$argon2id\$/);
  assert.equal(upgraded.epoch, 1, 'it is the same password: sessions go on');
  assert.equal((await world.login('ada@example.com', typed)).kind, 'authenticated');
  assert.equal((await world.login('ada@example.com', long)).kind, 'rejection', 'now all of it counts');
});

test('a hash of another cost is made anew at login, and one that is set meanwhile stays', async () => {
  await using world = await memoryWorld();
  const user = await world.user();
  const before = (await world.stored(user.id)).password?.hash;
  const ports = { clock: systemClock(), random: systemRandom(), logger: silentLogger(), ring };
  const hasher = createPasswordHasher({ ...ports, cost: { memoryKiB: 128, passes: 1, lanes: 1 } });
  try {
    const identity = createIdentity({ ...world.ports, hasher });
    const input = { tenant, identifier: 'ada@example.com', password: PASSWORD, client: {} };
    assert.equal((await identity.authenticate(call, input)).kind, 'authenticated');
    const after = await eventually('the hash is made anew', async () => {
      const hash = (await world.stored(user.id)).password?.hash;
      return hash === before ? undefined : hash;
    });
    assert.match(after, /m=128,/);
    assert.equal((await identity.authenticate(call, input)).kind, 'authenticated');
    assert.equal((await world.stored(user.id)).password?.hash, after, 'once');
  } finally {
    await hasher.close();
  }
});
