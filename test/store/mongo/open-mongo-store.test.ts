import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../../src/platform/clock.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { systemRandom } from '../../../src/platform/random.ts';
import { openMongoStore } from '../../../src/store/mongo/open-mongo-store.ts';
import { TENANT, thing, withMongoServer } from './with-mongo-store.ts';

const parts = { clock: systemClock(), random: systemRandom() };

test('a server that does not answer is an error within 4 s that names the setting, not its value', async () => {
  const uri = 'mongodb://admin:hunter2secret@127.0.0.1:1/x';
  const started = performance.now();
  const error = await openMongoStore({ uri, ...parts }).catch((reason: unknown) => reason);
  assert.ok(performance.now() - started < 15_000);
  assert.ok(error instanceof Fault);
  assert.equal(error.code, 'UNAVAILABLE');
  assert.match(error.message, /SALLYPORT_STORE_URL/);
  assert.doesNotMatch(error.message, /hunter2secret|admin|127\.0\.0\.1/);
});

test('an address that cannot be parsed says what is accepted, and repeats no part of it', async () => {
  const bad = [
    'mongodb://u:hunter2secret@',
    'http://u:hunter2secret@h',
    'mongodb://u:hunter2%zz@h',
    'mongodb://u:hunter2secret@h/?nonsense=hunter2secret',
  ];
  for (const uri of bad) {
    const error = await openMongoStore({ uri, ...parts }).catch((reason: unknown) => reason);
    assert.ok(error instanceof Error);
    assert.match(error.message, /^SALLYPORT_STORE_URL is not a MongoDB address: .+Accepted: mongodb:\/\//);
    assert.doesNotMatch(error.message, /hunter2/);
  }
});

await withMongoServer((withStore) => {
  withStore('a removal leaves nothing in the database', async ({ things, raw }) => {
    await things.insert(thing('a', 1));
    assert.equal(await raw.collection('users').countDocuments(), 1);
    assert.equal(await things.remove(TENANT, 'a'), true);
    assert.equal(await raw.collection('users').countDocuments(), 0);
  });

  withStore('the proof leaves nothing in the database', async ({ store, raw }) => {
    await store.ping();
    const left = await raw.collection('health').find().toArray();
    assert.deepEqual(
      left.map(({ _id }) => _id),
      ['ping'],
    );
  });

  const system = systemClock();
  const fast: Clock = {
    now: () => system.now(),
    monotonic: () => system.monotonic(),
    wall: () => system.wall() + 6000,
  };
  withStore(
    'a clock 6 s away from that of the database is not ready',
    async ({ store, things }) => {
      const message = /^the clock of the database is (5|6)\.\d s behind this machine's; at most 5 s are allowed$/;
      await assert.rejects(store.ping(), { code: 'UNAVAILABLE', message });
      assert.equal((await things.insert(thing('a', 1))).kind, 'inserted', 'what is asked all the same is answered');
    },
    fast,
  );
});
