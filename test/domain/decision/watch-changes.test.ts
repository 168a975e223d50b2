import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markSubject } from '../../../src/domain/decision/mark-subject.ts';
import type { ChangeNotice } from '../../../src/domain/decision/use-cases.ts';
import { apply, callBy, grantTo, POLICY, type Replica, replicaWorld, write } from '../../support/replica-world.ts';

// WatchChanges: exactly once, in order, from any revision that is kept, on any replica.

const watching = (replica: Replica, afterRevision: string, signal?: AbortSignal) =>
  replica.decisions.watchChanges(callBy('service:admin', signal), { tenant: 'default', afterRevision });

async function next(stream: AsyncGenerator<ChangeNotice, void>): Promise<ChangeNotice> {
  const { value } = await stream.next();
  assert(value !== undefined);
  return value;
}

const told = ({ change }: ChangeNotice): string => {
  if (change === undefined) return 'begin';
  const { entry } = change;
  if (entry.kind !== 'grants') return entry.kind;
  return entry.changes.map((each) => (each.kind === 'put' ? each.grant.subject.id : each.kind)).join(',');
};

test('every change comes once and in order, with what it holds, to a watcher on another replica', async () => {
  const world = replicaWorld();
  const [writer, reader] = [world.replica(), world.replica()];
  const stream = watching(reader, '');
  assert.equal(told(await next(stream)), 'begin');
  await apply(writer);
  await write(writer, [grantTo('1'), grantTo('2')]);
  await markSubject(writer.follower, 'default', { type: 'user', id: '1' }, true);
  await reader.follower.poll();
  const seen = [await next(stream), await next(stream), await next(stream)];
  assert.deepEqual(seen.map(told), ['policy', '1,2', 'subject']);
  assert.deepEqual(seen[0]?.change?.entry, { kind: 'policy', author: 'service:admin', version: 1, policy: POLICY });
  const waiting = next(stream);
  const { revision } = await write(writer, [grantTo('3')]);
  await reader.follower.poll();
  const last = await waiting;
  assert.deepEqual([told(last), last.revision], ['3', revision]);
});

test('a stream resumed from each revision repeats nothing and skips nothing', async () => {
  const replica = replicaWorld().replica();
  const { revision: first } = await apply(replica);
  for (let user = 1; user <= 45; user += 1) await write(replica, [grantTo(`${user}`)]);
  let after = first;
  const seen: string[] = [];
  while (seen.length < 45) {
    const stream = watching(replica, after);
    assert.equal((await next(stream)).revision, after);
    // A few of each stream, then it breaks.
    for (let count = 0; count < 1 + (seen.length % 4) && seen.length < 45; count += 1) {
      const notice = await next(stream);
      seen.push(told(notice));
      after = notice.revision;
    }
    await stream.return();
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 45 }, (_, index) => `${index + 1}`),
  );
});

test('a revision whose successors are gone is out of range, and the error names the oldest to resume from', async () => {
  const world = replicaWorld();
  const replica = world.replica();
  const { revision: first } = await apply(replica);
  for (let user = 1; user <= 5; user += 1) await write(replica, [grantTo(`${user}`)]);
  await world.store.changeLog.compact('policy/default', 4);
  const stream = watching(replica, first);
  await next(stream);
  let oldest = '';
  await assert.rejects(stream.next(), (error: { reason?: string; metadata?: Record<string, string> }) => {
    oldest = error.metadata?.['oldest_revision'] ?? '';
    return error.reason === 'REVISION_COMPACTED';
  });
  const resumed = watching(replica, oldest);
  assert.deepEqual(
    [told(await next(resumed)), told(await next(resumed)), told(await next(resumed))],
    ['begin', '4', '5'],
  );
});

test('a revision of another tenant or none of ours is refused', async () => {
  const replica = replicaWorld().replica();
  const { revision } = await write(replica, [grantTo('1', { what: { kind: 'permission', permission: 'a:b' } })], {
    tenant: 'acme',
  });
  await apply(replica);
  await assert.rejects(watching(replica, revision).next(), { reason: 'REVISION_UNKNOWN' });
  await assert.rejects(watching(replica, 'later').next(), { reason: 'INVALID_ARGUMENT' });
});

test('a waiting stream ends when its call does', async () => {
  const replica = replicaWorld().replica();
  await apply(replica);
  const abort = new AbortController();
  const stream = watching(replica, '', abort.signal);
  await next(stream);
  const waiting = stream.next();
  abort.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
});
