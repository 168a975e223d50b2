import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Grant, GrantChange } from '../../src/domain/decision/use-cases.ts';
import type { ChangeLog } from '../../src/domain/storage.ts';
import { apply, callBy, grantTo, mayRead, type Replica, replicaWorld, write } from '../support/replica-world.ts';

async function everything(replica: Replica): Promise<readonly Grant[]> {
  const found: Grant[] = [];
  for (let pageToken = ''; ; ) {
    const input = { tenant: 'default', filter: {}, pageSize: 1000, pageToken, atLeastRevision: '' };
    const page = await replica.decisions.listGrants(callBy(), input);
    found.push(...page.grants);
    if (page.nextPageToken === '') return found;
    pageToken = page.nextPageToken;
  }
}

test('a few entries of many changes are a reason for a checkpoint, once they are half as many as what is held', async () => {
  const { replica: open, store } = replicaWorld();
  const [writer, other] = [open({ checkpointItems: 20 }), open({ checkpointItems: 20 })];
  await apply(writer);
  const checkpointed = async (): Promise<number | undefined> => {
    for (const each of [writer, other]) {
      await each.follower.poll();
      await each.follower.maintain();
    }
    return (await store.changeLog.latestCheckpoint('policy/default'))?.revision;
  };
  const grants = (count: number) => Array.from({ length: count }, (_, at) => grantTo(`${at}`));
  await write(writer, grants(18));
  assert.equal(await checkpointed(), undefined);
  await write(writer, grants(20));
  // 38 grants are held: more than 20 + 19 changes make the next one.
  assert.equal(await checkpointed(), 3);
  // 20 + 49 are more than 60 changes, then 20 + 64 are fewer than 90.
  for (const expected of [3, 3, 6]) {
    await write(writer, grants(30));
    assert.equal(await checkpointed(), expected);
  }
});

test('a tenant loads from the newest checkpoint and what came after it', async () => {
  const { replica: open, store, clock } = replicaWorld();
  const writer = open({ checkpointEvery: 5 });
  await apply(writer);
  for (let index = 0; index < 8; index += 1) await write(writer, [grantTo(`${index}`)]);
  await writer.follower.revoke('default', [{ kind: 'user', id: 'u', epoch: 3, until: clock.now() }]);
  await writer.follower.maintain();
  const checkpoint = await store.changeLog.latestCheckpoint('policy/default');
  assert.equal(checkpoint?.revision, 9);
  await write(writer, [grantTo('after')]);
  const reads: number[] = [];
  const reader = open();
  const { read } = store.changeLog;
  const log: ChangeLog = {
    ...store.changeLog,
    read: (stream, after, limit, signal) => {
      reads.push(after);
      return read(stream, after, limit, signal);
    },
  };
  const loaded = open({ log });
  for (const replica of [loaded, reader]) {
    assert.equal(await mayRead(replica, '3'), 'allow GRANTED');
    assert.equal(await mayRead(replica, 'after'), 'allow GRANTED');
    assert.equal(replica.follower.peek('default')?.revoked.userEpoch('u'), 3);
    assert.equal(replica.follower.peek('default')?.revisionToken(), writer.follower.peek('default')?.revisionToken());
  }
  assert.equal(reads[0], 9, 'nothing before the checkpoint was read');
});

test('a checkpoint that is written while the tenant changes is the state of its revision', async () => {
  const { replica: open, store } = replicaWorld();
  const writer = open({ checkpointEvery: 5 });
  await apply(writer);
  const ids: string[] = [];
  for (let index = 0; index < 6; index += 1) {
    const changes = Array.from({ length: 1000 }, (_, each) => grantTo(`${index}-${each}`));
    ids.push(...(await write(writer, changes)).grantIds);
  }
  const before = await everything(writer);
  // Between any two chunks a grant goes, one is replaced, and one comes.
  let round = 0;
  store.before(async (call) => {
    if (call !== 'saveChunk') return;
    store.before(undefined);
    for (const at of [5999 - round, 3000 + round, round]) {
      const changes: GrantChange[] = [
        { kind: 'delete', grantId: ids[at] ?? '' },
        grantTo('x', { id: ids[at + 10] ?? '' }),
        grantTo('new'),
      ];
      await write(writer, changes, { allowMissing: true }).catch(() => {});
    }
    round += 20;
  });
  await writer.follower.maintain();
  store.before(undefined);
  assert(round > 0);
  const checkpoint = await store.changeLog.latestCheckpoint('policy/default');
  assert.equal(checkpoint?.revision, 7);
  const compacted = open({
    log: { ...store.changeLog, read: async () => [], bounds: async () => ({ oldest: 9, newest: 9 }) },
  });
  await assert.rejects(compacted.follower.load('default'), { code: 'UNAVAILABLE' });
  const then = open({
    log: { ...store.changeLog, read: async () => [], bounds: async () => ({ oldest: 1, newest: 7 }) },
  });
  assert.deepEqual(await everything(then), before);
  assert.deepEqual(await everything(open()), await everything(writer));
});

test('a damaged checkpoint is passed over while the log still tells everything, and refused when it does not', async () => {
  const { replica: open, store, clock } = replicaWorld();
  const writer = open({ checkpointEvery: 1 });
  await apply(writer);
  await write(writer, [grantTo('1')]);
  await write(writer, [grantTo('2')]);
  await writer.follower.maintain();
  store.damageCheckpoint('policy/default');
  assert.equal(await mayRead(open(), '1'), 'allow GRANTED');
  clock.advance(25 * 3_600_000);
  await writer.follower.poll();
  await write(writer, [grantTo('3')]);
  await write(writer, [grantTo('4')]);
  await writer.follower.maintain();
  assert.equal((await store.changeLog.bounds('policy/default')).oldest, 4);
  assert.equal(await mayRead(open(), '1'), 'allow GRANTED');
  store.damageCheckpoint('policy/default');
  await assert.rejects(mayRead(open(), '1'), { code: 'UNAVAILABLE' });
});

test('entries stay until a complete checkpoint is 24 h past them', async () => {
  const { replica: open, store, clock } = replicaWorld();
  const writer = open({ checkpointEvery: 1 });
  await apply(writer);
  await write(writer, [grantTo('1')]);
  await write(writer, [grantTo('2')]);
  clock.advance(24 * 3_600_000 - 1);
  await writer.follower.poll();
  await write(writer, [grantTo('3')]);
  await writer.follower.maintain();
  assert.equal((await store.changeLog.bounds('policy/default')).oldest, 1);
  clock.advance(3_600_000);
  await writer.follower.poll();
  await writer.follower.maintain();
  assert.equal((await store.changeLog.bounds('policy/default')).oldest, 1, 'the checkpoint is the old one');
  await write(writer, [grantTo('4')]);
  await write(writer, [grantTo('5')]);
  clock.advance(3_600_000);
  await writer.follower.poll();
  await writer.follower.maintain();
  assert.equal((await store.changeLog.bounds('policy/default')).oldest, 4);
});

test('a quiet log gets a checkpoint a day after its last change, from one replica, and then no more', async () => {
  const { replica: open, store, clock } = replicaWorld();
  const replicas = [open({ pinned: ['default'] }), open({ pinned: ['default'] })];
  const [first] = replicas;
  assert.ok(first !== undefined);
  await apply(first);
  await replicas[1]?.follower.load('default');
  const written: number[] = [];
  for (let hour = 0; hour < 24 * 7; hour += 1) {
    if (hour === 30) await write(first, [grantTo('late')]);
    clock.advance(3_600_000);
    for (const { follower } of replicas) {
      await follower.poll();
      await follower.maintain();
    }
    const checkpoint = await store.changeLog.latestCheckpoint('policy/default');
    const at = checkpoint === undefined ? 0 : (checkpoint.at - (clock.now() - (hour + 1) * 3_600_000)) / 3_600_000;
    if (at !== 0 && written.at(-1) !== at) written.push(at);
  }
  // The first one is a day past the policy; the second holds the grant; the third is a day past that, so that its entry can go.
  assert.deepEqual(written, [24, 48, 72]);
  const { oldest, newest } = await store.changeLog.bounds('policy/default');
  assert.deepEqual([oldest, newest], [2, 2], 'all but the newest entry is compacted away');
});

test('a checkpoint that another replica wrote meanwhile is not written again', async () => {
  const { replica: open, store } = replicaWorld();
  const [here, there] = [open({ checkpointEvery: 2 }), open({ checkpointEvery: 2 })];
  await there.follower.load('default');
  await apply(here);
  for (let index = 0; index < 3; index += 1) await write(here, [grantTo(`${index}`)]);
  await there.follower.poll();
  await here.follower.maintain();
  const calls: string[] = [];
  store.before((call) => void calls.push(call));
  await there.follower.maintain();
  assert.deepEqual(calls, ['latestCheckpoint']);
});

test('checkpoint and tail give what a replay gives, wherever the checkpoint was taken', async () => {
  const step = fc.record({
    user: fc.nat(4),
    kind: fc.constantFrom('put', 'replace', 'delete', 'sweep', 'checkpoint'),
    at: fc.nat(30),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      const { replica: open, store } = replicaWorld();
      const writer = open({ checkpointEvery: 0 });
      await apply(writer);
      const ids: string[] = [];
      for (const { user, kind, at } of steps) {
        const id = ids[at % Math.max(1, ids.length)] ?? '';
        if (kind === 'put') ids.push(...(await write(writer, [grantTo(`${user}`)])).grantIds);
        else if (kind === 'replace') await write(writer, [grantTo(`${user}`, { id })]).catch(() => {});
        else if (kind === 'delete') await write(writer, [{ kind: 'delete', grantId: id }], { allowMissing: true });
        else if (kind === 'checkpoint') await writer.follower.maintain();
        else {
          const subject = { type: 'user', id: `${user}` };
          await write(writer, [{ kind: 'delete_matching', filter: { subject } }]);
        }
      }
      const replayed = open({ log: { ...store.changeLog, latestCheckpoint: async () => undefined } });
      const restored = open();
      const expected = await everything(writer);
      assert.deepEqual(await everything(replayed), expected);
      assert.deepEqual(await everything(restored), expected);
      assert.equal(
        restored.follower.peek('default')?.revisionToken(),
        writer.follower.peek('default')?.revisionToken(),
      );
    }),
    { numRuns: 100 },
  );
});
