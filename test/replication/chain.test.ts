import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, grantTo, mayRead, replicaWorld, write } from '../support/replica-world.ts';

// Stores that lost what a replica has seen: a backup restored, an unjournalled write gone, a compaction that passed a sleeper.

test('a log that was rewritten behind a replica is read anew, and what it took with it counts no more', async () => {
  const world = replicaWorld();
  const replica = world.replica();
  await apply(replica);
  await write(replica, [grantTo('lost')]);
  assert.equal(await mayRead(replica, 'lost'), 'allow GRANTED');
  // The backup: only the policy. Another replica goes on from there.
  world.store.truncateLog('policy/default', 1);
  const other = world.replica();
  await write(other, [grantTo('kept')]);
  await write(other, [grantTo('more')]);
  await replica.follower.poll();
  assert.equal(await mayRead(replica, 'lost'), 'deny NO_MATCH');
  assert.equal(await mayRead(replica, 'more'), 'allow GRANTED');
});

test('a store that comes back from an outage without its last entries is not taken for current', async () => {
  const world = replicaWorld();
  const replica = world.replica();
  await apply(replica);
  await write(replica, [grantTo('lost')]);
  world.clock.advance(31_000);
  world.store.truncateLog('policy/default', 1);
  await replica.follower.poll();
  assert.equal(await mayRead(replica, 'lost'), 'deny NO_MATCH');
});

test('a writer on a log that lost entries commits after those that are there', async () => {
  const world = replicaWorld();
  const replica = world.replica();
  await apply(replica);
  await write(replica, [grantTo('lost')]);
  world.store.truncateLog('policy/default', 1);
  await write(replica, [grantTo('next')]);
  assert.equal(await mayRead(replica, 'lost'), 'deny NO_MATCH');
  assert.equal(await mayRead(replica, 'next'), 'allow GRANTED');
  const entries = await world.store.changeLog.read('policy/default', 0, 10);
  assert.deepEqual(
    entries.map(({ revision }) => revision),
    [1, 2],
  );
});

test('who slept through a compaction does not take the silence after it for news', async () => {
  const world = replicaWorld();
  const [sleeper, other] = [world.replica(), world.replica({ checkpointEvery: 1 })];
  await apply(sleeper);
  const { grantIds } = await write(sleeper, [grantTo('1')]);
  await other.follower.load('default');
  await write(other, [{ kind: 'delete', grantId: grantIds[0] ?? '' }]);
  await write(other, [grantTo('2')]);
  world.clock.advance(25 * 3_600_000);
  await other.follower.poll();
  await write(other, [grantTo('3')]);
  await other.follower.maintain();
  const { oldest, newest } = await world.store.changeLog.bounds('policy/default');
  assert.deepEqual([oldest, newest], [5, 5], 'what the sleeper would ask for is gone');
  await assert.rejects(mayRead(sleeper, '1'), { reason: 'INDEX_STALE' });
  await sleeper.follower.poll();
  assert.equal(await mayRead(sleeper, '1'), 'deny NO_MATCH');
  assert.equal(await mayRead(sleeper, '3'), 'allow GRANTED');
});
