import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { CallContext } from '../../../src/domain/call.ts';
import type { Revocation } from '../../../src/domain/replica.ts';
import { HEARTBEAT_MS, type RevocationEvent, watchRevocations } from '../../../src/domain/session/watch-revocations.ts';
import { defaultTenantSettings, type TenantDirectory } from '../../../src/domain/tenant/tenant.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { callBy, type Replica, replicaWorld } from '../../support/replica-world.ts';

// Watching the log of a real follower. The other replica's writes are seen with the next poll, which the test makes.

const peek = (tenant: string) => (tenant === 'default' ? defaultTenantSettings : undefined);
const tenants: TenantDirectory = { peek, settings: async (tenant) => peek(tenant) };

const session = (id: string): Revocation => ({ kind: 'session', id, until: 2_000_000_000_000 });

function world() {
  const { clock, replica, store } = replicaWorld();
  const watch = (t: TestContext, at: Replica, position = '', tenant = 'default') => {
    const end = new AbortController();
    t.after(() => end.abort(new Fault('CANCELLED', 'the test is over')));
    const call: CallContext = callBy('service:gateway', end.signal);
    const ports = { replicas: at.follower, revocationFeed: at.follower.revocations, tenants, clock };
    return { events: watchRevocations(ports, call, tenant, position), end };
  };
  return { clock, replica, store, watch };
}

async function next(events: AsyncGenerator<RevocationEvent>): Promise<RevocationEvent> {
  const step = await events.next();
  assert.ok(step.done !== true);
  return step.value;
}

/** The next one that tells of something. */
async function nextNews(
  events: AsyncGenerator<RevocationEvent>,
): Promise<Exclude<RevocationEvent, { kind: 'heartbeat' }>> {
  for (;;) {
    const event = await next(events);
    if (event.kind !== 'heartbeat') return event;
  }
}

const idsOf = ({ revocations }: { readonly revocations: readonly Revocation[] }): string[] =>
  revocations.map(({ id }) => id);

test('a watch begins with what is revoked, says that nothing is missing, and goes on with what is being revoked', async (t) => {
  const { replica, watch, clock } = world();
  const here = replica();
  await here.follower.revoke('default', [session('a'), session('b')]);
  const { events } = watch(t, here);
  const first = await next(events);
  assert.ok(first.kind === 'snapshot' && first.isFirst && first.isLast);
  assert.deepEqual(idsOf(first), ['a', 'b']);
  const heartbeat = await next(events);
  assert.deepEqual(heartbeat, { kind: 'heartbeat', asOf: clock.now(), position: first.position });
  const news = nextNews(events);
  await here.follower.revoke('default', [session('c')]);
  assert.deepEqual(idsOf(await news), ['c']);
});

test('what another replica revokes is told with the next poll', async (t) => {
  const { replica, watch } = world();
  const [here, there] = [replica(), replica()];
  const { events } = watch(t, here);
  await next(events);
  await next(events);
  const news = nextNews(events);
  await there.follower.revoke('default', [session('a')]);
  await here.follower.poll();
  assert.deepEqual(idsOf(await news), ['a']);
});

test('a watch resumes after its position, at another replica too, without a snapshot', async (t) => {
  const { replica, watch } = world();
  const [here, there] = [replica(), replica()];
  const begun = watch(t, here);
  const { position } = await next(begun.events);
  await here.follower.revoke('default', [session('a')]);
  const changed = await nextNews(begun.events);
  assert.deepEqual([changed.kind, idsOf(changed)], ['changes', ['a']]);
  await here.follower.revoke('default', [session('b')]);
  assert.deepEqual(idsOf(await nextNews(watch(t, there, position).events)), ['a', 'b']);
  assert.deepEqual(idsOf(await nextNews(watch(t, there, changed.position).events)), ['b']);
});

test('a position of another history gets a snapshot', async (t) => {
  const { replica, watch } = world();
  const here = replica();
  await here.follower.revoke('default', [session('a')]);
  await here.follower.revoke('default', [session('b')]);
  const beyond = `99.${'x'.repeat(43)}`;
  const forked = `1.${'x'.repeat(43)}`;
  for (const position of [beyond, forked]) {
    const event = await nextNews(watch(t, here, position).events);
    assert.deepEqual([event.kind, idsOf(event)], ['snapshot', ['a', 'b']]);
  }
});

test('a snapshot of many comes in parts, and only the last can be resumed from', async (t) => {
  const { replica, watch } = world();
  const here = replica();
  for (let from = 0; from < 2500; from += 500) {
    await here.follower.revoke(
      'default',
      Array.from({ length: 500 }, (_, index) => session(`s${from + index}`)),
    );
  }
  const { events } = watch(t, here);
  const parts: Extract<RevocationEvent, { kind: 'snapshot' }>[] = [];
  while (parts.at(-1)?.isLast !== true) {
    const part = await next(events);
    assert.ok(part.kind === 'snapshot');
    parts.push(part);
  }
  assert.deepEqual(
    parts.map(({ revocations, isFirst, isLast, position }) => [revocations.length, isFirst, isLast, position !== '']),
    [
      [1000, true, false, false],
      [1000, false, false, false],
      [500, false, true, true],
    ],
  );
  assert.equal(new Set(parts.flatMap(idsOf)).size, 2500);
});

test('many watchers at one place share one read of the store', async (t) => {
  const { replica, watch, store } = world();
  const here = replica();
  const { changeLog } = store;
  const read = t.mock.method(changeLog, 'read');
  const watchers = Array.from({ length: 20 }, () => watch(t, here).events);
  for (const events of watchers) {
    await next(events);
    await next(events);
  }
  const waiting = watchers.map(nextNews);
  const before = read.mock.callCount();
  await here.follower.revoke('default', [session('a')]);
  for (const event of await Promise.all(waiting)) assert.deepEqual(idsOf(event), ['a']);
  assert.ok(read.mock.callCount() - before < 5, `${read.mock.callCount() - before} reads`);
});

test('a watch ends with its call, and refuses what is no position and no tenant', async (t) => {
  const { replica, watch } = world();
  const here = replica();
  const { events, end } = watch(t, here);
  await next(events);
  await next(events);
  const waiting = next(events);
  end.abort(new Fault('CANCELLED', 'the caller cancelled'));
  await assert.rejects(waiting, { code: 'CANCELLED' });
  for (const position of ['x', '1', '1.', '0.x', '01.abc', '-1.abc']) {
    await assert.rejects(next(watch(t, here, position).events), { reason: 'INVALID_ARGUMENT' }, position);
  }
  await assert.rejects(next(watch(t, here, '', 'nowhere').events), { reason: 'TENANT_NOT_FOUND' });
});

test('who comes back after a compaction, or read slowly while it passed, gets a snapshot and misses nothing', async (t) => {
  const { replica, watch, store } = world();
  const here = replica();
  await here.follower.revoke('default', [session('a')]);
  const slow = watch(t, here).events;
  const { position } = await next(slow);
  for (const id of ['b', 'c', 'd']) await here.follower.revoke('default', [session(id)]);
  await store.changeLog.compact('revocation/default', 3);
  const watches = [slow, watch(t, here, position).events];
  for (const events of watches) {
    const event = await nextNews(events);
    assert.ok(event.kind === 'snapshot' && event.isFirst && event.isLast);
    assert.deepEqual(idsOf(event), ['a', 'b', 'c', 'd']);
  }
  const going = watches.map(nextNews);
  await here.follower.revoke('default', [session('e')]);
  for (const event of await Promise.all(going)) assert.deepEqual(idsOf(event), ['e']);
});

test('a quiet watch sends a heartbeat every 15 s, which says up to when nothing is missing', async (t) => {
  const { replica, watch, clock } = world();
  const here = replica();
  await here.follower.load('default');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { events } = watch(t, here);
  const { position } = await next(events);
  const told: RevocationEvent[] = [];
  const read = (): Promise<void> => next(events).then((event) => void told.push(event));
  await read();
  assert.deepEqual(told, [{ kind: 'heartbeat', asOf: clock.now(), position }]);
  for (let beat = 1; beat <= 3; beat += 1) {
    const waiting = read();
    await settled();
    clock.advance(HEARTBEAT_MS);
    await here.follower.poll();
    t.mock.timers.tick(HEARTBEAT_MS - 1);
    await settled();
    assert.equal(told.length, beat, 'not before its time');
    t.mock.timers.tick(1);
    await waiting;
    assert.deepEqual(told.at(-1), { kind: 'heartbeat', asOf: clock.now(), position });
  }
  // What is revoked does not wait for a heartbeat.
  const waiting = read();
  await settled();
  await here.follower.revoke('default', [session('a')]);
  await waiting;
  assert.equal(told.at(-1)?.kind, 'changes');
});

/** Everything that does not wait for a timer has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
