import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokenLogError, checkLogs, markRestored } from '../../src/replication/restored-log.ts';
import { apply, grantTo, mayRead, replicaWorld, write } from '../support/replica-world.ts';
import { seededRandom } from '../support/seeded-random.ts';

// A store that was put back from a backup: what came after the backup is lost, and its revisions are given again.

const mark = ({ store, clock }: ReturnType<typeof replicaWorld>) =>
  markRestored({ store, clock, random: seededRandom(9) });

test('a revision that a restore lost is refused, not taken for the write that got its number', async () => {
  const world = replicaWorld();
  const before = world.replica();
  await apply(before);
  const { revision: lost } = await write(before, [grantTo('lost')]);
  const { revision: kept } = await write(before, [grantTo('later')]);
  world.store.truncateLog('policy/default', 1);
  await mark(world);
  const after = world.replica();
  const { revision: reused } = await write(after, [grantTo('next')]);
  for (const token of [lost, kept]) {
    await assert.rejects(after.follower.reach('default', token), { reason: 'REVISION_UNKNOWN' }, token);
  }
  await after.follower.reach('default', reused);
  assert.equal(await mayRead(after, 'next'), 'allow GRANTED');
});

test('the new history is known after a restart from a checkpoint as well', async () => {
  const world = replicaWorld();
  const before = world.replica();
  await apply(before);
  const { revision: old } = await write(before, [grantTo('kept')]);
  await mark(world);
  const writer = world.replica({ checkpointEvery: 1 });
  await writer.follower.load('default');
  const { revision } = await write(writer, [grantTo('more')]);
  await writer.follower.poll();
  const restarted = world.replica();
  await restarted.follower.reach('default', revision);
  await assert.rejects(restarted.follower.reach('default', old), { reason: 'REVISION_UNKNOWN' });
  assert.equal(await mayRead(restarted, 'kept'), 'allow GRANTED');
});

test('a replica that follows meanwhile takes the mark over like any entry', async () => {
  const world = replicaWorld();
  const replica = world.replica();
  await apply(replica);
  const { revision: old } = await write(replica, [grantTo('kept')]);
  await mark(world);
  await replica.follower.poll();
  await assert.rejects(replica.follower.reach('default', old), { reason: 'REVISION_UNKNOWN' });
  assert.equal(await mayRead(replica, 'kept'), 'allow GRANTED');
});

test('logs that hold together are counted; one with a gap or an altered entry is named', async () => {
  const world = replicaWorld();
  const replica = world.replica();
  await apply(replica);
  for (const name of ['a', 'b', 'c']) await write(replica, [grantTo(name)]);
  assert.deepEqual(await checkLogs(world.store), { streams: 1, entries: 4 });
  await world.store.changeLog.compact('policy/default', 2);
  await assert.rejects(checkLogs(world.store), (error: unknown) => {
    assert.ok(error instanceof BrokenLogError);
    assert.match(error.message, /^policy\/default: nothing tells what came before 3$/);
    return true;
  });
});
