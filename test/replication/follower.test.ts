import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY_HEAD, nextEntry } from '../../src/domain/change-log.ts';
import type { ReplicaChange } from '../../src/domain/replica.ts';
import { FAKE_START_MS, fakeClock } from '../support/fake-clock.ts';
import { apply, grantTo, mayRead, replicaWorld, write } from '../support/replica-world.ts';

// Two replicas on one store.

test('a write, a policy and a revocation are seen by the other replica with its next poll', async () => {
  const { replica: open, clock } = replicaWorld();
  const [here, there] = [open(), open()];
  await there.follower.load('default');
  await apply(here);
  await write(here, [grantTo('1')]);
  await here.follower.revoke('default', [
    { kind: 'session', id: 's', until: clock.now() + 1000 },
    { kind: 'user', id: 'u', epoch: 4, until: clock.now() + 1000 },
  ]);
  assert.equal(await mayRead(here, '1'), 'allow GRANTED', 'its own write at once');
  assert.equal(here.follower.peek('default')?.revoked.session('s'), true);
  assert.equal(await mayRead(there, '1'), 'deny UNKNOWN_PERMISSION');
  await there.follower.poll();
  assert.equal(await mayRead(there, '1'), 'allow GRANTED');
  const revoked = there.follower.peek('default')?.revoked;
  assert.deepEqual(
    [revoked?.session('s'), revoked?.session('t'), revoked?.userEpoch('u'), revoked?.position],
    [true, false, 4, 1],
  );
});

test('one poll asks once, however many tenants are in memory', async () => {
  const { replica: open, store } = replicaWorld();
  const replica = open();
  for (const tenant of ['default', 'acme', 'other', 'sallyport']) await replica.follower.load(tenant);
  const calls: string[] = [];
  store.before((call) => void calls.push(call));
  await replica.follower.poll();
  assert.deepEqual(calls, ['next']);
});

test('two replicas that append at once give dense revisions, and each sees all', async () => {
  const { replica: open, store } = replicaWorld();
  const replicas = [open(), open()] as const;
  await apply(replicas[0]);
  await Promise.all(
    Array.from({ length: 40 }, (_, index) => write(replicas[index % 2 === 0 ? 0 : 1], [grantTo(`${index}`)])),
  );
  const entries = await store.changeLog.read('policy/default', 0, 1000);
  assert.deepEqual(
    entries.map(({ revision }) => revision),
    Array.from({ length: 41 }, (_, index) => index + 1),
  );
  for (const replica of replicas) {
    await replica.follower.poll();
    assert.equal(replica.follower.peek('default')?.index.grantCount, 40);
  }
});

test('without a good poll for 30 s every decision is refused, and comes back with the store', async () => {
  const { replica: open, store, clock } = replicaWorld();
  const replica = open();
  await apply(replica);
  await write(replica, [grantTo('1')]);
  store.outage(true);
  await replica.follower.poll();
  clock.advance(30_000);
  assert.equal(await mayRead(replica, '1'), 'allow GRANTED', 'exactly 30 s');
  assert.deepEqual(replica.follower.freshness(), { ageMs: 0, failing: true, stale: false, tenants: 1 });
  clock.advance(1);
  await replica.follower.poll();
  await assert.rejects(mayRead(replica, '1'), { reason: 'INDEX_STALE' });
  assert.throws(() => replica.follower.peek('default'), { reason: 'INDEX_STALE' });
  await assert.rejects(replica.follower.load('default'), { reason: 'INDEX_STALE' });
  assert.equal(replica.follower.freshness().stale, true);
  store.outage(false);
  await replica.follower.poll();
  assert.equal(await mayRead(replica, '1'), 'allow GRANTED');
  assert.equal(replica.follower.freshness().stale, false);
});

test('age counts from the start of the poll, not from its end', async () => {
  const { replica: open, store, clock } = replicaWorld();
  const replica = open();
  await apply(replica);
  store.before((call) => {
    if (call === 'next') clock.advance(20_000);
  });
  await replica.follower.poll();
  store.before(undefined);
  clock.advance(10_001);
  assert.throws(() => replica.follower.peek('default'), { reason: 'INDEX_STALE' });
});

test('a machine that slept finds by the wall clock that its data is old', async () => {
  let wall = FAKE_START_MS;
  const { replica: open } = replicaWorld(fakeClock(FAKE_START_MS, () => wall));
  const replica = open();
  await apply(replica);
  wall -= 3_600_000;
  assert.equal(await mayRead(replica, '1'), 'deny NO_MATCH', 'a clock set back is no sleep');
  wall = FAKE_START_MS + 30_001;
  await assert.rejects(mayRead(replica, '1'), { reason: 'INDEX_STALE' });
  await replica.follower.poll();
  assert.equal(await mayRead(replica, '1'), 'deny NO_MATCH');
});

test('a writer that slept too long reads on before it appends', async () => {
  const { replica: open, clock } = replicaWorld();
  const [sleeper, other] = [open(), open()];
  await apply(sleeper);
  await write(other, [grantTo('1')]);
  clock.advance(31_000);
  const filter = { subject: { type: 'user', id: '1' } };
  const precondition = { preconditions: [{ kind: 'must_not_match', filter } as const] };
  await assert.rejects(write(sleeper, [grantTo('1')], precondition), { reason: 'PRECONDITION_FAILED' });
  assert.equal(await mayRead(sleeper, '1'), 'allow GRANTED', 'and is fresh by that');
});

test('a poll that the store fails for one tenant does not keep the others waiting', async () => {
  const { replica: open, store } = replicaWorld();
  const [here, there] = [open(), open()];
  for (const tenant of ['default', 'acme']) await here.follower.load(tenant);
  // A newer release wrote what this one cannot read.
  await store.changeLog.append(nextEntry(EMPTY_HEAD, 'policy/default', { kind: 'rules' }, 1, 'w'));
  await apply(there, { roles: [{ name: 'viewer', permissions: ['documents:read'], inherits: [] }] }, 'acme');
  await write(there, [grantTo('1')], { tenant: 'acme' });
  await here.follower.poll();
  assert.equal(await mayRead(here, '1', 'acme'), 'allow GRANTED');
  await assert.rejects(mayRead(here, '1'), { code: 'UNAVAILABLE' });
  await assert.rejects(write(here, [grantTo('1')]), { code: 'UNAVAILABLE' });
});

test('a revocation of a kind that is not known makes the tenant unavailable', async () => {
  const { replica: open, store } = replicaWorld();
  const replica = open();
  await replica.follower.load('default');
  const body = { kind: 'revoked', revocations: [{ kind: 'device', id: 'd', until: 1 }] };
  await store.changeLog.append(nextEntry(EMPTY_HEAD, 'revocation/default', body, 1, 'w'));
  await replica.follower.poll();
  await assert.rejects(replica.follower.load('default'), { code: 'UNAVAILABLE' });
});

test('listeners hear of what was applied, own or not, and that a tenant was read', async () => {
  const { replica: open, clock } = replicaWorld();
  const [here, there] = [open(), open()];
  const heard: ReplicaChange[] = [];
  here.follower.onChange((change) => heard.push(change));
  await here.follower.load('default');
  const keySet = { kind: 'key_set', id: 'signing', until: clock.now() } as const;
  await here.follower.revoke('default', [keySet]);
  await there.follower.revoke('default', [keySet]);
  await apply(there);
  await here.follower.poll();
  const revoked = { kind: 'revoked', tenant: 'default', revocations: [keySet] };
  assert.deepEqual(heard, [
    { kind: 'loaded', tenant: 'default' },
    revoked,
    revoked,
    { kind: 'policy', tenant: 'default', revision: 1 },
  ]);
});

test('what is revoked already is not written again, and is forgotten 24 h after its end', async () => {
  const { replica: open, clock, store } = replicaWorld();
  const replica = open({ pinned: ['default'] });
  const revocation = { kind: 'api_key', id: 'k', until: clock.now() + 1000 } as const;
  await replica.follower.revoke('default', [revocation]);
  await replica.follower.revoke('default', [revocation]);
  assert.equal((await store.changeLog.bounds('revocation/default')).newest, 1);
  await replica.follower.revoke('default', [{ ...revocation, until: clock.now() + 2000 }]);
  assert.equal((await store.changeLog.bounds('revocation/default')).newest, 2, 'a later end is news');
  clock.advance(2000 + 24 * 3_600_000);
  await replica.follower.poll();
  await replica.follower.maintain();
  assert.equal(replica.follower.peek('default')?.revoked.apiKey('k'), true);
  clock.advance(1);
  await replica.follower.maintain();
  assert.equal(replica.follower.peek('default')?.revoked.apiKey('k'), false);
});

test('idle tenants are dropped, pinned ones and those in use are not', async () => {
  const { replica: open, clock } = replicaWorld();
  const { follower } = open({ pinned: ['sallyport'], idleMs: 60_000, maxTenants: 3 });
  await follower.start();
  await follower.load('default');
  await follower.load('acme');
  clock.advance(25_000);
  await follower.poll();
  follower.peek('default');
  clock.advance(25_000);
  await follower.poll();
  follower.peek('default');
  clock.advance(25_000);
  await follower.poll();
  await follower.maintain();
  const inMemory = ['sallyport', 'default', 'acme', 'other'].filter((tenant) => follower.peek(tenant) !== undefined);
  assert.deepEqual(inMemory, ['sallyport', 'default']);
  await follower.load('acme');
  clock.advance(1);
  await follower.load('other');
  assert.equal(follower.freshness().tenants, 3, 'the least recently used one made room');
  assert.equal(follower.peek('default'), undefined);
  await follower.stop();
});

test('a load that one caller gives up goes on for the others', async () => {
  const { replica: open, store } = replicaWorld();
  const replica = open();
  const gate = Promise.withResolvers<void>();
  store.before(() => gate.promise);
  const impatient = new AbortController();
  const first = replica.follower.load('default', impatient.signal);
  const second = replica.follower.load('default');
  impatient.abort(new Error('gone'));
  await assert.rejects(first, { message: 'gone' });
  gate.resolve();
  assert.equal((await second).tenant, 'default');
});

test('polls by itself once started, and ends when stopped', async () => {
  const { replica: open } = replicaWorld();
  const [here, there] = [open({ pinned: ['default'], pollMs: 1 }), open()];
  await here.follower.start();
  const seen = Promise.withResolvers<void>();
  here.follower.onChange((change) => {
    if (change.kind === 'policy') seen.resolve();
  });
  await apply(there);
  await seen.promise;
  await here.follower.stop();
  await there.follower.revoke('default', [{ kind: 'session', id: 's', until: 1e15 }]);
  assert.equal(here.follower.peek('default')?.revoked.session('s'), false);
});
