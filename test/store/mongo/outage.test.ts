import assert from 'node:assert/strict';
import { Fault } from '../../../src/platform/faults.ts';
import { command } from '../../support/mongo-server/commands.ts';
import { TENANT, thing, type WithMongoStore, withMongoServer } from './with-mongo-store.ts';

await withMongoServer((withStore) => {
  outages(withStore);
  lostMessages(withStore);
});

function outages(withStore: WithMongoStore): void {
  withStore('an outage is UNAVAILABLE without an address, and ends by itself', async ({ store, things, proxy }) => {
    await things.insert(thing('a', 1));
    proxy.cut();
    const calls = [things.get(TENANT, 'a'), things.insert(thing('b', 1)), store.ping()];
    for (const result of await Promise.allSettled(calls)) {
      assert.ok(result.status === 'rejected' && result.reason instanceof Fault);
      assert.equal(result.reason.code, 'UNAVAILABLE');
      assert.doesNotMatch(result.reason.message, /127\.0\.0\.1/);
    }
    proxy.restore();
    assert.equal((await things.get(TENANT, 'a'))?.value, 1);
    assert.equal((await things.insert(thing('c', 3))).kind, 'inserted');
    assert.equal(await things.get(TENANT, 'b'), undefined, 'what was refused was not written');
    await store.ping();
  });

  withStore('a burst in an outage ends with it, not one after the other', async ({ things, proxy }) => {
    await things.insert(thing('a', 1));
    proxy.cut();
    // Three times as many as fit in at once, and none has a deadline of its own.
    const calls = Array.from({ length: 150 }, () => things.get(TENANT, 'a'));
    const started = performance.now();
    const results = await Promise.allSettled(calls);
    assert.ok(performance.now() - started < 20_000);
    for (const result of results) assert.ok(result.status === 'rejected' && result.reason.code === 'UNAVAILABLE');
  });

  withStore('a slow server does not hold a caller past its own deadline', async ({ things, proxy }) => {
    await things.insert(thing('a', 1));
    proxy.delayAnswers(60_000);
    const reason = new Fault('DEADLINE_EXCEEDED', 'the deadline passed');
    const controller = new AbortController();
    const reads = [things.get(TENANT, 'a', controller.signal), things.insert(thing('b', 1), controller.signal)];
    controller.abort(reason);
    for (const result of await Promise.allSettled(reads)) {
      assert.ok(result.status === 'rejected' && result.reason === reason);
    }
    proxy.delayAnswers(0);
    proxy.cut();
    proxy.restore();
    assert.equal((await things.get(TENANT, 'a'))?.value, 1);
  });
}

function lostMessages(withStore: WithMongoStore): void {
  withStore('a request that never arrived is sent again', async ({ store, things, proxy }) => {
    const lost = proxy.loseRequest(command('insert'));
    const result = await things.insert(thing('a', 1));
    await lost;
    assert.equal(result.kind, 'inserted');
    const found = await things.get(TENANT, 'a');
    const lostSwap = proxy.loseRequest(command('findAndModify'));
    assert.equal((await things.replace(thing('a', 2), found?.version ?? '')).kind, 'replaced');
    await lostSwap;
    const lostEntry = proxy.loseRequest(command('insert'));
    const entry = { stream: 's', revision: 1, writer: 'w', previous: '', digest: 'd', at: 1, body: null };
    assert.equal(await store.changeLog.append(entry), true);
    await lostEntry;
    assert.equal(await store.changeLog.append(entry), true);
    assert.deepEqual(await store.changeLog.bounds('s'), { oldest: 1, newest: 1 });
  });

  withStore('an addition whose answer was lost is counted once', async ({ store, proxy }) => {
    const end = Date.now() + 60_000;
    await store.counters.add(TENANT, 'c', 1, end);
    const lost = proxy.loseAnswer(command('findAndModify'));
    assert.equal(await store.counters.add(TENANT, 'c', 2, end), 3);
    await lost;
    assert.equal(await store.counters.add(TENANT, 'c', 0, end), 3);
  });

  withStore('a swap whose answer was lost and that was then overwritten is not called lost', async (subject) => {
    const { things, proxy, raw } = subject;
    await things.insert(thing('a', 1));
    const version = (await things.get(TENANT, 'a'))?.version ?? '';
    const lost = proxy.loseAnswer(command('findAndModify'));
    const swap = things.replace(thing('a', 2), version);
    swap.catch(() => undefined);
    await lost;
    proxy.cut();
    await raw.collection<{ _id: string }>('users').updateOne({ _id: `${TENANT}/a` }, { $set: { v: 'somebody else' } });
    proxy.restore();
    // `lost` would make the caller apply its change a second time, on top of its own.
    await assert.rejects(swap, { code: 'UNAVAILABLE' });
  });
}
