import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPolicyTrail } from '../../src/domain/audit/policy-trail.ts';
import { nextEntry } from '../../src/domain/change-log.ts';
import { forgetSubject } from '../../src/domain/decision/forget-subject.ts';
import { markSubject } from '../../src/domain/decision/mark-subject.ts';
import { encodePolicyEntry } from '../../src/domain/decision/policy-log.ts';
import type { ChangeLog } from '../../src/domain/storage.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { apply, grantTo, mayRead, type Replica, replicaWorld, write } from '../support/replica-world.ts';

// What was removed from a tenant leaves its logs although no replica has the tenant in memory.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const tenant = 'acme';
const tenantNames = async (): Promise<readonly string[]> => ['acme', 'default', 'other', 'sallyport'];

/** Everything that the logs of the tenant say, checkpoints included. */
async function said({ read, bounds, latestCheckpoint }: ChangeLog): Promise<string> {
  const parts: unknown[] = [];
  for (const stream of [`policy/${tenant}`, `revocation/${tenant}`]) {
    const { oldest, newest } = await bounds(stream);
    if (newest > 0) parts.push(await read(stream, oldest - 1, 1000));
    const checkpoint = await latestCheckpoint(stream);
    if (checkpoint !== undefined) for await (const chunk of checkpoint.chunks()) parts.push(chunk);
  }
  return JSON.stringify(parts);
}

/** A tenant of which one user was erased and another was granted something, by a process that is gone. */
async function world() {
  const { store, clock, replica } = replicaWorld();
  const former = replica();
  await apply(former, undefined, tenant);
  await write(former, [grantTo('ada-1815'), grantTo('bob')], { tenant });
  const { follower } = former;
  const ada = { type: 'user', id: 'ada-1815' };
  await follower.revoke(tenant, [{ kind: 'user', id: ada.id, epoch: 2, until: clock.now() + DAY }]);
  await markSubject(follower, tenant, ada, true);
  await forgetSubject(follower, tenant, ada, 'service:admin');
  await follower.revoke(tenant, [{ kind: 'tenant', id: tenant, until: 0 }]);
  await follower.stop();
  const replicas = [replica({ tenantNames }), replica({ tenantNames })];
  /** As the polls of both do by themselves, both at once. */
  const pass = async (ms: number, stepMs = HOUR): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(stepMs);
      await Promise.all(replicas.map(({ follower: each }) => each.maintain()));
    }
  };
  return { store, clock, replica, replicas, pass };
}

const isLoaded = ({ follower }: Replica): boolean => follower.peek(tenant) !== undefined;

test('an erased user leaves the logs of a tenant that no replica has in memory, and everything else stays', async () => {
  const { store, replica, replicas, pass } = await world();
  assert.match(await said(store.changeLog), /ada-1815/);
  await pass(23 * HOUR);
  assert.match(await said(store.changeLog), /ada-1815/, 'who slept for a day finds what it missed');
  await pass(4 * DAY);
  const left = await said(store.changeLog);
  assert.doesNotMatch(left, /ada-1815/);
  assert.match(left, /bob/);
  assert.deepEqual(replicas.map(isLoaded), [false, false], 'nothing was kept in memory for it');
  const later = replica();
  assert.equal(await mayRead(later, 'bob', tenant), 'allow GRANTED');
  assert.equal(await mayRead(later, 'ada-1815', tenant), 'deny SUBJECT_DISABLED');
  await write(later, [grantTo('carol')], { tenant });
  assert.equal(await mayRead(replica(), 'carol', tenant), 'allow GRANTED', 'the log goes on');
});

test('an erased user leaves the logs of a tenant that is used for a moment every day, in which it gets a new checkpoint', async () => {
  const { store, replica, pass } = await world();
  for (let day = 0; day < 6; day += 1) {
    const visitor = replica();
    await write(visitor, [grantTo(`day-${day}`)], { tenant });
    await visitor.follower.revoke(tenant, [{ kind: 'key_set', id: `day-${day}`, until: 0 }]);
    await visitor.follower.maintain();
    await visitor.follower.stop();
    await pass(DAY);
  }
  const left = await said(store.changeLog);
  assert.doesNotMatch(left, /"day-[0-2]","until/, 'revocations');
  assert.doesNotMatch(left, /ada-1815/);
  assert.equal(await mayRead(replica(), 'day-0', tenant), 'allow GRANTED');
});

test('a long log of a tenant that nobody asks about is compacted in one round', async () => {
  const { store, clock, replica, pass } = await world();
  const stream = `policy/${tenant}`;
  const { newest } = await store.changeLog.bounds(stream);
  let [head] = await store.changeLog.read(stream, newest - 1, 1);
  const body = encodePolicyEntry({ kind: 'grants', author: 'service:sync', changes: [] });
  for (let count = 0; count < 45_000 && head !== undefined; count += 1) {
    head = nextEntry(head, stream, body, clock.now(), `w${count}`);
    assert.ok(await store.changeLog.append(head));
  }
  await pass(3 * DAY);
  const { oldest, newest: last } = await store.changeLog.bounds(stream);
  assert.equal(last, newest + 45_000);
  assert.equal(oldest, last);
  assert.equal(await mayRead(replica(), 'bob', tenant), 'allow GRANTED');
});

test('a log of which nothing is to go is looked at and left as it is', async () => {
  const { store, pass } = await world();
  await pass(6 * DAY);
  const writes: string[] = [];
  store.before((call) => {
    if (/save|compact|append/i.test(call)) writes.push(call);
  });
  await pass(6 * DAY);
  assert.deepEqual(writes, []);
});

test('a tenant that is written to while its log is compacted loses nothing', async () => {
  const { store, replica, pass } = await world();
  const writer = replica();
  let count = 0;
  let isWriting = false;
  // Before every step of either replica there is another entry.
  store.before(async () => {
    if (isWriting) return;
    isWriting = true;
    await write(writer, [grantTo(`n${count}`)], { tenant });
    count += 1;
    isWriting = false;
  });
  await pass(3 * DAY);
  store.before(undefined);
  assert.ok(count > 50, `${count} writes`);
  const later = replica();
  for (let each = 0; each < count; each += 1) assert.equal(await mayRead(later, `n${each}`, tenant), 'allow GRANTED');
  assert.equal(await mayRead(later, 'ada-1815', tenant), 'deny SUBJECT_DISABLED');
  await later.follower.stop();
});

test('a write whose event was left out by a kill has its event before its entry goes, or the entry stays', async () => {
  const { store, clock, replica } = await world();
  const trail = createPolicyTrail({ store, logger: silentLogger() });
  const keeper = replica({ tenantNames, beforeCompaction: trail.complete }).follower;
  store.before((call) => {
    if (call === 'audit.append') throw new Error('not now');
  });
  const pass = async (): Promise<void> => {
    for (let hours = 0; hours < 72; hours += 1) {
      clock.advance(HOUR);
      await keeper.maintain();
    }
  };
  await pass();
  assert.match(await said(store.changeLog), /ada-1815/);
  store.before(undefined);
  assert.deepEqual(await store.auditTrail.list({ tenant }, undefined, 10), []);
  await pass();
  assert.doesNotMatch(await said(store.changeLog), /ada-1815/);
  const types = (await store.auditTrail.list({ tenant }, undefined, 10)).map(({ type }) => type);
  assert.deepEqual(types.toSorted(), [
    'grants.written',
    'grants.written',
    'policy.applied',
    'subject.marked',
    'subject.marked',
  ]);
  await trail.stop();
});

test('a tenant that cannot be read keeps none of the others waiting', async () => {
  const { store, pass } = await world();
  store.before((call) => {
    if (call === 'bounds') throw new Error('not now');
  });
  await pass(2 * DAY);
  store.before(undefined);
  await pass(3 * DAY);
  assert.doesNotMatch(await said(store.changeLog), /ada-1815/);
});
